# The rooms of include/atrous from the bottom up: a room includes itself and those before it (tests/direction).
set(atrous_rooms core graph layers networks plan weights simd backend model data)
set(atrous_rooms_of_standard_library core graph layers networks plan)  # these include nothing but it

# Which target carries which headers, sub-folders included. What atrous::xtensor, opencv and pictures list
# belongs to them alone.
list(TRANSFORM atrous_rooms_of_standard_library APPEND /*.hpp OUTPUT_VARIABLE atrous_headers_atrous)
set(atrous_headers_xtensor */xtensor.hpp)
set(atrous_headers_openmp atrous.hpp simd/*.hpp backend/*.hpp model/*.hpp)
set(atrous_headers_io weights/*.hpp data/*.hpp)
set(atrous_headers_opencv data/opencv.hpp)
set(atrous_headers_pictures data/text.hpp data/legend.hpp)
