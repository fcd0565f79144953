#include <png.h>

#include <atrous/backend/policy.hpp>
#include <atrous/core/shape.hpp>
