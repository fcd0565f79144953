# SPDX-License-Identifier: MIT
# Conan 2, from a checkout: conan create packaging/conan --build=missing
import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load

required_conan_version = ">=2.0"

# What each component needs, as cmake/components.cmake has it. xtensor 0.26 moved its headers.
PACKAGES = {
    "io": ["libexif/[>=0.6.23]", "libjpeg-turbo/[>=2.1]", "libpng/[>=1.6]", "nlohmann_json/[>=3.11]", "protozero/[>=1.7]"],
    "opencv": ["opencv/[>=4.5 <5]"],
    "openmp": [],
    "pictures": ["fontconfig/[>=2.13]", "freetype/[>=2.12]"],
    "xtensor": ["xtensor/[>=0.24 <0.26]"],
}


class Atrous(ConanFile):
    name = "atrous"
    description = "DeepLabv3+ semantic segmentation in C++20, header-only"
    license = "MIT"
    topics = ("deeplab", "semantic-segmentation", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {component: [True, False] for component in PACKAGES}
    default_options = {"io": True, "opencv": False, "openmp": True, "pictures": False, "xtensor": False}
    no_copy_source = True

    def _checkout(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        header = load(self, os.path.join(self._checkout(), "include/atrous/core/version.hpp"))
        self.version = ".".join(re.search(r"version{(\d+), (\d+), (\d+)}", header).groups())

    def export_sources(self):
        for pattern in "CMakeLists.txt", "LICENSE", "cmake/*", "include/*":
            copy(self, pattern, self._checkout(), self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        wanted = {package for component in PACKAGES if self.options.get_safe(component) for package in PACKAGES[component]}
        for package in sorted(wanted):
            self.requires(package, transitive_headers=True, transitive_libs=True)

    def package_id(self):
        self.info.clear()

    def validate(self):
        check_min_cppstd(self, 20)
        if self.settings.os == "Windows":
            raise ConanInvalidConfiguration("atrous needs POSIX (files are memory-mapped)")

    def generate(self):
        toolchain = CMakeToolchain(self)
        for part in "TESTS", "EXAMPLES", "BENCHMARKS":
            toolchain.cache_variables[f"ATROUS_BUILD_{part}"] = False
        toolchain.generate()

    def build(self):
        CMake(self).configure()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        # The package brings its own atrousConfig.cmake, with a target for each component.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["."]
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
