# For the directory, not for a target: headers compiled alone must be as clean as the tests, and users inherit nothing.
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wno-sign-conversion -Wshadow)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  add_compile_options(-Wno-restrict)  # sees overlap in "text" + std::to_string(number): GCC bug 105651
endif()
