# Compiles SOURCE with COMPILER and FLAGS, links LIBRARIES, and runs PROGRAM. For PACKAGES pkg-config knows more flags.
cmake_minimum_required(VERSION 3.25)
separate_arguments(flags UNIX_COMMAND "${FLAGS}")
separate_arguments(libraries UNIX_COMMAND "${LIBRARIES}")
separate_arguments(packages UNIX_COMMAND "${PACKAGES}")
if(packages)
  foreach(what IN ITEMS cflags libs)
    execute_process(COMMAND pkg-config --${what} ${packages} OUTPUT_VARIABLE ${what} COMMAND_ERROR_IS_FATAL ANY)
    separate_arguments(${what} UNIX_COMMAND "${${what}}")
  endforeach()
endif()
execute_process(COMMAND ${COMPILER} -std=c++20 ${flags} ${cflags} ${SOURCE} -o ${PROGRAM} ${libraries} ${libs}
                COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} COMMAND_ERROR_IS_FATAL ANY)
