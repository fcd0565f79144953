#include <atrous/atrous.hpp>
#include <atrous/data/read_image.hpp>
#include <atrous/weights/safetensors.hpp>

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
static_assert(atrous::plan_of<tiny>.steps.size() == 5);

atrous::tensor_set zeros() {
  static const std::vector<std::byte> bytes(4096);
  atrous::tensor_set weights{.source = "zeros", .tensors = {}, .metadata = {}, .keep = nullptr};
  constexpr atrous::graph_view g = atrous::graph_of<tiny>;
  for (int i = 0; i < g.size(); ++i) {
    for (const atrous::parameter& p : g.parameters_of(i)) {
      weights.tensors.push_back({g.parameter_name(i, p),
                                 atrous::element_type::f32,
                                 {p.extents.begin(), p.extents.begin() + p.rank()},
                                 {bytes.data(), static_cast<std::size_t>(p.size()) * sizeof(float)}});
    }
  }
  sort_by_name(weights);
  return weights;
}

// Without files (WEIGHTS PHOTO): zeros and grey.
int main(int count, char** arguments) {
  const atrous::model<tiny, atrous::openmp> segment(count > 2 ? atrous::read_safetensors(arguments[1])
                                                              : zeros());
  atrous::image photo{17, 21, 3, std::vector<std::uint8_t>(17 * 21 * 3, 100)};
  if (count > 2) photo = atrous::read_image(arguments[2]);
  const auto labels = segment.labels({photo.pixels.data(), {photo.height, photo.width, 3}});
  std::printf("%s labels, the first is %d\n", text_of(labels.extent).c_str(), labels.data[0]);
  return labels.extent == atrous::shape{photo.height, photo.width, 1} && labels.data[0] == 0 ? 0 : 1;
}
