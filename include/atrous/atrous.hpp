// SPDX-License-Identifier: MIT
#pragma once
// What most programs need, with no more than the standard library (and OpenMP where it is switched on). The rooms, in the
// order in which they may include each other:
//
//   core      shapes, views and tensors: what numbers live in
//   graph     networks recorded as plain data, and the rules they obey
//   layers    the primitives and small composites
//   networks  backbones, pyramid, decoder, DeepLab, and their names
//   plan      graph -> steps, cost, memory
//   weights   tensors of a file -> parameters of a network
//   simd      vectors and instruction sets
//   backend   the policies: reference, openmp
//   model     a network with weights, ready to run
//
// Apart, though they need no more than that: model/multi_scale.hpp, model/tiled.hpp, model/profile.hpp, plan/print.hpp and
// plan/dot.hpp. Apart because they need libraries: weights/safetensors.hpp (nlohmann-json) and all of data: image files
// (libpng, libjpeg, libexif), legends (FreeType, Fontconfig), xtensor.hpp and opencv.hpp.
#include <atrous/backend/openmp.hpp>
#include <atrous/backend/reference.hpp>
#include <atrous/core/version.hpp>
#include <atrous/model/model.hpp>
#include <atrous/model/runtime_model.hpp>
#include <atrous/networks/deeplab.hpp>
#include <atrous/networks/mobilenet_v2.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/networks/original_xception.hpp>
#include <atrous/networks/resnet.hpp>
#include <atrous/networks/xception.hpp>
#include <atrous/plan/cost.hpp>
#include <atrous/plan/planner.hpp>
#include <atrous/weights/binding.hpp>
