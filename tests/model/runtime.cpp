// Every kernel of all policies, for the tests of this room.
#include "../support/runtime.hpp"

#include <atrous/backend/openmp.hpp>
#include <atrous/backend/reference.hpp>
#include <atrous/model/runtime_model.hpp>

template <class P>
atrous::inference<P> runtime(const std::function<atrous::wire(atrous::wire)>& define, atrous::shape image,
                             const atrous::tensor_set& weights, atrous::plan_options options) {
  return atrous::runtime_model<P>(define, image, weights, options);
}

template atrous::inference<atrous::reference> runtime(const std::function<atrous::wire(atrous::wire)>&,
                                                      atrous::shape, const atrous::tensor_set&,
                                                      atrous::plan_options);
template atrous::inference<atrous::openmp> runtime(const std::function<atrous::wire(atrous::wire)>&,
                                                   atrous::shape, const atrous::tensor_set&,
                                                   atrous::plan_options);
template atrous::inference<atrous::openmp_half> runtime(const std::function<atrous::wire(atrous::wire)>&,
                                                        atrous::shape, const atrous::tensor_set&,
                                                        atrous::plan_options);
