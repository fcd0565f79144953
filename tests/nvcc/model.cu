// Records, checks, plans and runs networks through nvcc's front end, as a user's .cu file does.
#include <atrous/backend/reference.hpp>
#include <atrous/model/model.hpp>
#include <atrous/model/runtime_model.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/plan/cost.hpp>

#include "../support/tiny.hpp"

using namespace atrous;

inline constexpr network voc{[](wire image) { return deeplab_v3_plus(image, xception65{}, 21); },
                             {513, 513, 3}};
static_assert(total(graph_of<voc>).parameters == 41'258'213);
static_assert(plan_of<voc>.labels);

tensor<std::uint8_t> labels_of(const tensor_set& weights, const pixels_view& image) {
  return model<tiny::deeplab, reference>(weights).labels(image);
}

tensor<float> logits_of(const deeplab_options& options, const tensor_set& weights, const pixels_view& image) {
  return runtime_model<reference>([=](wire x) { return build(x, options); }, image.shape(), weights)
      .logits(image);
}
