#!/usr/bin/env python3
# The vcpkg port and the Conan recipe say what the library says: its version, its components and their packages. Neither
# tool is needed. lint.py ROOT VERSION
import ast
import json
import pathlib
import re
import sys

root, version = pathlib.Path(sys.argv[1]), sys.argv[2]
wrong = []


def expect(truth, sentence):
    if not truth:
        wrong.append(sentence)


def components():
    """{component: packages}, as cmake/components.cmake has them."""
    text = (root / "cmake/components.cmake").read_text()
    names = re.search(r"set\(atrous_components ([^)]+)\)", text)[1].split()
    return {n: set(re.search(rf"set\(atrous_packages_{n} ([^)]+)\)", text)[1].split()) - {"OpenMP"} for n in names}


# As vcpkg and Conan call the packages.
VCPKG = {"EXIF": "libexif", "Fontconfig": "fontconfig", "Freetype": "freetype",
         "JPEG": "libjpeg-turbo", "nlohmann_json": "nlohmann-json", "OpenCV": "opencv4", "PNG": "libpng", "xtensor": "xtensor"}
CONAN = {**VCPKG, "nlohmann_json": "nlohmann_json", "OpenCV": "opencv"}


def check_vcpkg():
    port = root / "packaging/vcpkg/ports/atrous"
    manifest = json.loads((port / "vcpkg.json").read_text())
    known = {"name", "version-semver", "port-version", "description", "homepage", "license", "supports", "dependencies",
             "default-features", "features"}
    expect(set(manifest) <= known, f"vcpkg.json: fields {sorted(set(manifest) - known)}")
    expect(manifest["name"] == port.name, f"vcpkg.json: name {manifest['name']} in folder {port.name}")
    expect(manifest["version-semver"] == version, f"vcpkg.json: version {manifest['version-semver']}, not {version}")
    expect(json.dumps(manifest, indent=2) + "\n" == (port / "vcpkg.json").read_text(), "vcpkg.json: not in vcpkg's format")
    expect(set(manifest["default-features"]) <= set(manifest["features"]), "vcpkg.json: a default feature that is none")
    for feature in manifest["features"].values():
        expect({"description"} <= set(feature) <= {"description", "dependencies"}, f"vcpkg.json: a feature has {sorted(feature)}")
    found = {name: {d["name"] if isinstance(d, dict) else d for d in feature.get("dependencies", ())}
             for name, feature in manifest["features"].items()}
    needed = {name: {VCPKG.get(p, p) for p in packages} for name, packages in components().items()}
    expect(found == needed, f"vcpkg.json: features {found}, the components need {needed}")


def check_conan():
    recipe = root / "packaging/conan/conanfile.py"
    tree = ast.parse(recipe.read_text(), recipe)
    test_recipe = root / "packaging/conan/test_package/conanfile.py"
    ast.parse(test_recipe.read_text(), test_recipe)
    constants = {node.targets[0].id: ast.literal_eval(node.value)
                 for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "PACKAGES"}
    found = {name: {p.split("/")[0] for p in packages} for name, packages in constants["PACKAGES"].items()}
    needed = {name: {CONAN.get(p, p) for p in packages} for name, packages in components().items()}
    expect(found == needed, f"conanfile.py: {found}, the components need {needed}")
    # It reads the version from the header, by a regular expression that must find it there.
    header = (root / "include/atrous/core/version.hpp").read_text()
    match = re.search(re.search(r're\.search\(r"([^"]+)"', recipe.read_text())[1], header)
    expect(match and ".".join(match.groups()) == version, f"conanfile.py: does not find version {version} in version.hpp")


check_vcpkg()
check_conan()
for sentence in wrong:
    print(sentence)
sys.exit(1 if wrong else 0)
