# SPDX-License-Identifier: MIT
"""Every link inside the site leads to a file and, where it names one, to a place in it. python3 check_links.py FOLDER"""
import html
import pathlib
import re
import sys
import urllib.parse

folder = pathlib.Path(sys.argv[1])
places, links = {}, set()
for path in sorted(folder.glob("*.html")):
    found = re.findall(r'\s(id|name|href|src)="([^"]*)"', path.read_text(encoding="utf-8"))
    places[path.name] = {value for name, value in found if name in ("id", "name")}
    links |= {(path.name, html.unescape(value)) for name, value in found if name in ("href", "src")}

inside, wrong = 0, []
for page, link in sorted(links):
    parts = urllib.parse.urlsplit(link)
    if parts.scheme or parts.netloc:
        continue
    inside += 1
    target = urllib.parse.unquote(parts.path) or page
    if not (folder / target).is_file():
        wrong.append(f"{page}: {link}: no such file")
    elif parts.fragment and target in places and parts.fragment not in places[target]:
        wrong.append(f"{page}: {link}: no such place")
print(*wrong, sep="\n", end="\n" if wrong else "")
print(f"{len(places)} pages, {inside} links inside the site, {len(wrong)} to nothing")
sys.exit(1 if wrong or not inside else 0)
