// says: resize
// line: 14
#include <atrous/backend/reference.hpp>
#include <atrous/layers/convolution.hpp>
#include <atrous/model/model.hpp>

using namespace atrous;

struct without_resize : reference {
  static void resize() = delete;
};
inline constexpr network mixed{[](wire x) { return x >> pointwise{.out = 8}; }, {33, 33, 8}};

void run(const tensor_set& weights) { const model<mixed, without_resize> net(weights); }
