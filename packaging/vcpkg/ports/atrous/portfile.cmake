# An overlay port: it builds the checkout that it lies in (vcpkg install atrous --overlay-ports=packaging/vcpkg/ports).
set(VCPKG_BUILD_TYPE release)  # headers have no debug build
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../../.." ABSOLUTE)
vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        -DATROUS_BUILD_TESTS=OFF
        -DATROUS_BUILD_EXAMPLES=OFF
        -DATROUS_BUILD_BENCHMARKS=OFF
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/atrous)

# A component whose packages were not asked for is not there: find_package(atrous COMPONENTS ...) says so.
foreach(component IN ITEMS io opencv openmp pictures xtensor)
    if(NOT component IN_LIST FEATURES)
        file(REMOVE "${CURRENT_PACKAGES_DIR}/share/atrous/atrous-${component}.cmake"
                    "${CURRENT_PACKAGES_DIR}/share/pkgconfig/atrous-${component}.pc")
    endif()
endforeach()
vcpkg_fixup_pkgconfig()
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
