# What the site reads of a Markdown page: headings get the names that links use, links to pages and examples lead inside
# the site, and links to other files of the project lose their target.
function path_of(link,    path) {
  path = folder link
  while (sub(/[^\/]+\/\.\.\//, "", path)) {}
  return path
}
function name_of(text) {
  text = tolower(text)
  gsub(/[^a-z0-9_ -]/, "", text)
  gsub(/ /, "-", text)
  return text
}
function page_of(path) {
  sub(/\.md$/, "", path)
  gsub(/\//, "_", path)
  return path == "README" ? "index" : tolower(path)
}
# What [text](link) becomes.
function linked(text, link,    path, place) {
  if (link ~ /^[a-z]+:/) return "[" text "](" link ")"
  place = index(link, "#") ? substr(link, index(link, "#") + 1) : ""
  sub(/#.*/, "", link)
  path = link == "" ? page : path_of(link)
  if (path ~ /^examples\/[^\/]+\.cpp$/) return "[" text "](@ref " substr(path, 10) ")"
  if (path ~ /\.(png|jpg|svg)$/) { sub(/.*\//, "", path); return "[" text "](" path ")" }
  if (path !~ /^(README|CHANGELOG|CONTRIBUTING|benchmarks\/README|docs\/[^\/]+)\.md$/) return text
  return "[" text "](@ref " page_of(path) (place ? "-" place : "") ")"
}
# Doxygen takes `x='y'` for a quotation, and not if it has two backticks.
function unquoted(line,    parts, count, i, mark) {
  count = split(line, parts, "`")
  line = parts[1]
  for (i = 2; i <= count; i += 2) {
    mark = index(parts[i], "'") && i < count ? "``" : "`"
    line = line mark parts[i] (i < count ? mark parts[i + 1] : "")
  }
  return line
}
FNR == 1 {
  page = substr(FILENAME, index(FILENAME, ENVIRON["PWD"] "/") ? length(ENVIRON["PWD"]) + 2 : 1)
  folder = page
  sub(/[^\/]*$/, "", folder)
  own = page_of(page)
}
/^ *```/ { code = !code }
code || /^    / { print; next }
/^# / && own != "index" { print $0 " {#" own "}"; next }
/^##+ / {
  name = $0
  sub(/^#+ +/, "", name)
  name = own "-" name_of(name)
  print $0 " {#" name (seen[name]++ ? "-" seen[name] - 1 : "") "}"
  next
}
{
  line = unquoted($0)
  gsub(/src="docs\//, "src=\"", line)
  while (match(line, /\[[^][]+\]\([^() ]+\)/)) {
    found = substr(line, RSTART, RLENGTH)
    middle = index(found, "](")
    printf "%s%s", substr(line, 1, RSTART - 1), linked(substr(found, 2, middle - 2), substr(found, middle + 2, RLENGTH - middle - 2))
    line = substr(line, RSTART + RLENGTH)
  }
  print line
}
