// limit: 120 s 2048 MiB
// Every kernel there is, for networks put together at run time.
#include <atrous/backend/openmp.hpp>
#include <atrous/model/runtime_model.hpp>

using namespace atrous;

tensor<std::uint8_t> labels_of(const std::function<wire(wire)>& define, const tensor_set& weights,
                               const pixels_view& image) {
  return runtime_model<openmp>(define, image.shape(), weights).labels(image);
}
