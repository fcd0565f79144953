# Debian's and Ubuntu's names of what is needed, and `need NAME...`, which installs those that are missing.
packages_to_build=(g++ cmake ninja-build libxtensor-dev nlohmann-json3-dev libprotozero-dev libcli11-dev libssl-dev libpng-dev libjpeg-dev libexif-dev
                   libfreetype-dev libfontconfig-dev fonts-dejavu-core)
packages_to_test=(doctest-dev libbenchmark-dev pkgconf python3 doxygen graphviz)
packages_for_docs=(doxygen python3)
# Of libomp only one can be installed; that of the newest clang serves the older ones too and brings archer.
packages_to_test_all=(clang clang-16 clang-19 libclang-rt-16-dev libomp-19-dev clang-format-14 libopencv-dev
                      qemu-user g++-aarch64-linux-gnu valgrind libdnnl-dev)

need() {
  local missing=() name as_root=()
  for name; do
    dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
  done
  ((${#missing[@]})) || return 0
  ((EUID == 0)) || as_root=(sudo)
  if ! command -v apt-get >/dev/null || { ((EUID != 0)) && ! command -v sudo >/dev/null; }; then
    echo "Cannot install packages here. If what follows fails, install (Debian's names): ${missing[*]}" >&2
    return 0
  fi
  echo "Installing ${missing[*]}"
  local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}")
  # A fresh image has no package lists, and old lists name files that are gone: only then update.
  "${install[@]}" </dev/null >/dev/null 2>&1 ||
    { "${as_root[@]}" apt-get update -qq </dev/null && "${install[@]}" </dev/null >/dev/null; }
}
