#include <Eigen/Core>
#include <atrous/model/model.hpp>
#include <vector>
#include "beside.hpp"
