# The packages behind each component, one list for the build and for atrousConfig.cmake.
set(atrous_components xtensor openmp io opencv pictures)
set(atrous_packages_xtensor xtensor)
set(atrous_packages_openmp OpenMP)
set(atrous_packages_io nlohmann_json protozero PNG JPEG EXIF)
set(atrous_packages_opencv OpenCV)
set(atrous_packages_pictures Freetype Fontconfig)
set(atrous_parts_of_OpenCV COMPONENTS core)
set(atrous_parts_of_OpenMP COMPONENTS CXX)  # or a user's C compiler would need OpenMP too
set(atrous_below_xtensor 0.26)  # where its headers moved

# Looks for the packages of a component; `result` lists those that are missing or too new.
function(atrous_missing component result)
  set(missing "")
  foreach(package IN LISTS atrous_packages_${component})
    find_package(${package} QUIET ${atrous_parts_of_${package}})
    set(below "${atrous_below_${package}}")
    if(NOT ${package}_FOUND)
      list(APPEND missing ${package})
    elseif(below AND NOT ${package}_VERSION VERSION_LESS below)
      list(APPEND missing "${package} < ${below}")
    endif()
  endforeach()
  set(${result} "${missing}" PARENT_SCOPE)
endfunction()
