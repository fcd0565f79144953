// limit: 60 s 2048 MiB
// The largest network of the paper on the policy for CPUs, as a user writes it.
#include <atrous/backend/openmp.hpp>
#include <atrous/model/model.hpp>
#include <atrous/networks/deeplab.hpp>
#include <atrous/networks/xception.hpp>

using namespace atrous;

inline constexpr network voc{
    [](wire image) { return deeplab_v3_plus(image, xception65{.output_stride = 16}, 21); }, {513, 513, 3}};

tensor<std::uint8_t> labels_of(const tensor_set& weights, const pixels_view& image) {
  return model<voc, openmp>(weights).labels(image);
}
