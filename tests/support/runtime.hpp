// SPDX-License-Identifier: MIT
#pragma once
// Networks put together at run time, without compiling every kernel in every test: one file of the room does
// (tests/model/runtime.cpp).
#include <functional>

#include <atrous/model/inference.hpp>
#include <atrous/networks/options.hpp>

/// What runtime_model<P>(define, image, weights, options) makes. P is reference or openmp.
template <class P>
atrous::inference<P> runtime(const std::function<atrous::wire(atrous::wire)>& define, atrous::shape image,
                             const atrous::tensor_set& weights, atrous::plan_options options = {});

template <class P>
atrous::inference<P> runtime(const atrous::deeplab_options& network, const atrous::tensor_set& weights,
                             atrous::plan_options options = {}) {
  return runtime<P>([network](atrous::wire image) { return build(image, network); }, {97, 129, 3}, weights,
                    options);
}
