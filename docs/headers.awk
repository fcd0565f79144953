# What the site reads of a header, line for line:
#   // behind #pragma once        says what the file is for
#   member;  // behind a member   says what it is for
#   ///   rules  what follows     is an item of a list
#   a declaration without ///     is not shown
#   a room                        is a group
#   an inline namespace           is not shown
FNR == 1 {
  room = FILENAME ~ /include\/atrous\/[^\/]+\// ? FILENAME : ""
  sub(/.*include\/atrous\//, "", room)
  room = room ~ /^backend\/(openmp\/|plain)/ ? "kernels" : substr(room, 1, index(room, "/") - 1)
  head = type = nested = member = blank = hidden = 0
}
blank && /^[^ ]/ {
  separator = hidden ? "/** @endcond */" : ""
  hidden = room && !/^(\/\/\/|#|\}|namespace )/
  print separator (hidden ? "/** @cond */" : "")
  blank = 0
}
blank { print ""; blank = 0 }
/^$/ { blank = 1; next }

/^#pragma once/ { print "/// @file"; head = 1; next }
head && !/^\/\// { head = 0 }
head { sub(/^\/\//, "///") }
/^inline namespace / || /^\}  \/\/ inline namespace/ { print ""; next }
{ gsub(/\[\[gnu::[^\]]*\]\] /, "") }
match($0, /^ *\/\/\/   /) {
  text = substr($0, RLENGTH + 1)
  gap = match(text, /  +/)
  item = RSTART > 1
  print substr($0, 1, index($0, "/") + 2) (item ? " - **" substr(text, 1, gap - 1) "** " substr(text, gap + RLENGTH) : text)
  next
}
room && /^namespace .*\{$/ { print $0 " /** @addtogroup " room " */ /** @{ */"; next }
room && /^\}  \/\/ namespace/ { print "/** @} */ }"; next }

/^(struct|class|enum) .*\{$/ { type = 1 }
/^  (struct|class|enum) .*\{$/ { nested = type }
/^  \};/ { nested = 0 }
/^\};/ { type = 0 }
type && match($0, /[;,}]  +\/\/ /) && $0 ~ (nested ? "^    [^ ]" : "^  [^ ]") {
  member = 1
  print substr($0, 1, RSTART) "  ///< " substr($0, RSTART + RLENGTH)
  next
}
member && /^       *\/\/ / { sub(/\/\//, "///<"); print; next }
{ member = 0; print }
