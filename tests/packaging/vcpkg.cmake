# Runs the port's portfile.cmake with the few functions of vcpkg that it calls, and looks at what it leaves behind.
# cmake -D ROOT= -D FOLDER= -P vcpkg.cmake
cmake_minimum_required(VERSION 3.25)
set(PORT atrous)
set(FEATURES core io openmp)
set(CURRENT_PACKAGES_DIR ${FOLDER}/package)
file(REMOVE_RECURSE ${FOLDER})
function(vcpkg_cmake_configure)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "SOURCE_PATH" "OPTIONS")
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${arg_SOURCE_PATH} -B ${FOLDER}/build
                          -DCMAKE_INSTALL_PREFIX=${CURRENT_PACKAGES_DIR} ${arg_OPTIONS}
                  OUTPUT_QUIET ERROR_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
  if(said MATCHES "not used by the project")
    message(FATAL_ERROR "${said}")  # an option that is no longer one
  endif()
endfunction()
function(vcpkg_cmake_install)
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${FOLDER}/build OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endfunction()
function(vcpkg_cmake_config_fixup)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "CONFIG_PATH" "")
  file(RENAME ${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH} ${CURRENT_PACKAGES_DIR}/share/${PORT})
  file(REMOVE_RECURSE ${CURRENT_PACKAGES_DIR}/share/cmake)
endfunction()
function(vcpkg_fixup_pkgconfig)
endfunction()
function(vcpkg_install_copyright)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "FILE_LIST")
  file(INSTALL ${arg_FILE_LIST} DESTINATION ${CURRENT_PACKAGES_DIR}/share/${PORT} RENAME copyright)
endfunction()

include(${ROOT}/packaging/vcpkg/ports/${PORT}/portfile.cmake)
file(GLOB_RECURSE files RELATIVE ${CURRENT_PACKAGES_DIR} ${CURRENT_PACKAGES_DIR}/*)
list(FILTER files EXCLUDE REGEX "^include/atrous/.*hpp$")
set(expected share/atrous/FindEXIF.cmake share/atrous/Findprotozero.cmake share/atrous/atrous-atrous.cmake share/atrous/atrous-io.cmake
             share/atrous/atrous-openmp.cmake share/atrous/atrousConfig.cmake share/atrous/atrousConfigVersion.cmake
             share/atrous/components.cmake share/atrous/copyright share/atrous/usage
             share/pkgconfig/atrous-io.pc share/pkgconfig/atrous-openmp.pc share/pkgconfig/atrous.pc)
if(NOT files STREQUAL expected OR NOT EXISTS ${CURRENT_PACKAGES_DIR}/include/atrous/atrous.hpp)
  message(FATAL_ERROR "the port installs, besides headers:\n${files}\nexpected:\n${expected}")
endif()
