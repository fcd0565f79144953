# For the directory, not for a target: headers compiled alone must be as clean as the tests, and users inherit nothing.
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wno-sign-conversion -Wshadow)
