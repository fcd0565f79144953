# What is installed: headers, CMake's package, a file for pkg-config per component. Nothing depends on the architecture, so
# all of it is in share/, and `cpack -G DEB` makes one Debian package for every machine.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(config_dir ${CMAKE_INSTALL_DATADIR}/cmake/atrous)

# What pkg-config and Debian call the packages of components.cmake. OpenMP comes with the compiler, and protozero is headers
# that pkg-config does not know.
set(names_of_EXIF libexif libexif-dev)
set(names_of_Fontconfig fontconfig libfontconfig-dev)
set(names_of_Freetype freetype2 libfreetype-dev)
set(names_of_JPEG libjpeg libjpeg-dev)
set(names_of_nlohmann_json nlohmann_json nlohmann-json3-dev)
set(names_of_OpenCV opencv4 libopencv-dev)
set(names_of_PNG libpng libpng-dev)
set(names_of_protozero "" libprotozero-dev)
set(names_of_xtensor "xtensor < ${atrous_below_xtensor}" libxtensor-dev)

# From the folder of the .pc files: an installation may be moved.
file(RELATIVE_PATH pc_prefix ${CMAKE_INSTALL_FULL_DATADIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" pc_prefix ${pc_prefix})
file(RELATIVE_PATH pc_include ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
set(recommended "")
foreach(component IN ITEMS atrous LISTS atrous_components)
  install(TARGETS atrous_${component} EXPORT atrous-${component} FILE_SET HEADERS)
  install(EXPORT atrous-${component} NAMESPACE atrous:: DESTINATION ${config_dir})

  set(pc_name atrous-${component})
  set(pc_requires "atrous = ${PROJECT_VERSION}")
  set(pc_cflags "")
  set(pc_libs "")
  if(component STREQUAL "atrous")
    set(pc_name atrous)
    set(pc_requires "")
    set(pc_cflags "-I\${includedir}")
  endif()
  foreach(package IN LISTS atrous_packages_${component})
    if(package STREQUAL "OpenMP")
      set(pc_cflags -fopenmp)
      set(pc_libs -fopenmp)
    else()
      list(GET names_of_${package} 0 pc)
      list(GET names_of_${package} 1 debian)
      if(pc)
        string(APPEND pc_requires ", ${pc}")
      endif()
      list(APPEND recommended ${debian})
    endif()
  endforeach()
  configure_file(cmake/atrous.pc.in ${pc_name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${pc_name}.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
endforeach()

write_basic_package_version_file(atrousConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES cmake/atrousConfig.cmake cmake/components.cmake cmake/FindEXIF.cmake cmake/Findprotozero.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/atrousConfigVersion.cmake DESTINATION ${config_dir})

if(NOT PROJECT_IS_TOP_LEVEL)
  return()  # the package is the project's whose build this is
endif()
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)  # `make install` and cpack need not build the tests
set(debian_doc ${CMAKE_INSTALL_DATADIR}/doc/libatrous-dev)
install(FILES packaging/debian/copyright DESTINATION ${debian_doc} COMPONENT debian EXCLUDE_FROM_ALL)
set(CPACK_INSTALL_CMAKE_PROJECTS "${PROJECT_BINARY_DIR};atrous;ALL;/;${PROJECT_BINARY_DIR};atrous;debian;/")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR "The atrous authors")
set(CPACK_PACKAGE_DESCRIPTION
"A network is written down as a C++20 expression and checked by the compiler; it
runs on the CPU with published weights, without a runtime to ship. Networks,
plans and costs need the standard library alone; what the recommended packages
are for is a component each: running networks, image files, xtensor arrays.")
set(CPACK_PACKAGE_CONTACT "The atrous authors <nobody@atrous.invalid>")  # cpack -D CPACK_PACKAGE_CONTACT=WHO_BUILT_IT
set(CPACK_DEBIAN_PACKAGE_NAME libatrous-dev)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
list(REMOVE_DUPLICATES recommended)
list(REMOVE_ITEM recommended libopencv-dev)  # hundreds of packages, for those who have it anyway
list(JOIN recommended ", " CPACK_DEBIAN_PACKAGE_RECOMMENDS)  # not Depends: networks alone need the standard library
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "cmake (>= 3.25), libopencv-dev, pkgconf")
include(CPack)
