#include <atrous/atrous.hpp>

#include <cstdio>
#include <vector>

// The library as a user meets it: a network written down and checked by the compiler, a model, labels.
constexpr atrous::wire define(atrous::wire image) {
  return image >> atrous::normalise::to_unit_range() >>
         atrous::separable{.name = "conv", .out = 8, .stride = 2} >>
         in("logits", atrous::pointwise{.out = 3, .bias = true}) >> resize_to(image.shape());
}
inline constexpr atrous::network tiny{define, {17, 21, 3}};

static_assert(atrous::total(atrous::graph_of<tiny>).parameters == 9 * 3 + 4 * 3 + 3 * 8 + 4 * 8 + 8 * 3 + 3);
static_assert(atrous::plan_of<tiny>.steps.size() == 4);

int main() {
  atrous::tensor_set weights{.source = "zeros", .tensors = {}, .metadata = {}, .keep = nullptr};
  const std::vector<std::byte> zeros(4096);
  constexpr atrous::graph_view g = atrous::graph_of<tiny>;
  for (int i = 0; i < g.size(); ++i) {
    for (const atrous::parameter& p : g.parameters_of(i)) {
      weights.tensors.push_back({g.parameter_name(i, p),
                                 atrous::element_type::f32,
                                 {p.extents.begin(), p.extents.begin() + p.rank()},
                                 {zeros.data(), static_cast<std::size_t>(p.size()) * sizeof(float)}});
    }
  }
  sort_by_name(weights);
  const atrous::model<tiny, atrous::openmp> segment(weights);
  const std::vector<std::uint8_t> picture(17 * 21 * 3, 100);
  const auto labels = segment.labels({picture.data(), {17, 21, 3}});
  std::printf("%s labels, the first is %d\n", text_of(labels.extent).c_str(), labels.data[0]);
  return labels.extent == atrous::shape{17, 21, 1} && labels.data[0] == 0 ? 0 : 1;
}
