// SPDX-License-Identifier: MIT
#pragma once
// One step, run by a policy and by the reference on the same random numbers, and compared. Around every feature map
// lie guards: NaN around what is read, so that nothing beside it counts; a known value around what is written.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <atrous/backend/openmp.hpp>
#include <atrous/backend/reference.hpp>
#include <atrous/plan/structures.hpp>

#include "trial.hpp"

namespace grid {

// ---- random operands in a policy's memory

inline std::vector<float> random_numbers(std::int64_t count, unsigned seed, float low = -1, float high = 1) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> any(low, high);
  std::vector<float> all(static_cast<std::size_t>(count));
  for (float& each : all) each = any(engine);
  return all;
}

/// Those of a trial: what the policies under test store them as makes no difference.
inline std::vector<float> random_numbers(const trial& t, std::int64_t count, unsigned seed, float low = -1,
                                         float high = 1) {
  std::vector<float> all = random_numbers(count, seed, low, high);
  if (t.halves)
    for (float& each : all) each = half(each);
  return all;
}

inline constexpr float guard = 12344;  // a half, too

/// A feature map as a slice of a wider buffer, a guard pixel before and after it.
template <class P>
struct feature_map {
  using element = typename P::element;
  typename P::buffer memory;
  view<element> at{};

  feature_map(int batch, shape s, int gap, float around) : memory(P::allocate(bytes(batch, s, gap))) {
    auto* first = reinterpret_cast<element*>(P::address(memory));
    std::fill_n(first, bytes(batch, s, gap) / sizeof(element), element(around));
    at = {first + s.channels + gap + gap / 2, batch, s, s.channels + gap};
  }
  void fill(const std::vector<float>& numbers) {
    auto next = numbers.begin();
    each([&](element& y) { y = element(*next++); });
  }
  template <class Visit>
  void each(const Visit& visit) {
    for (std::int64_t p = 0; p < at.pixels(); ++p)
      for (int c = 0; c < at.channels; ++c) visit(at.at(p)[c]);
  }
  std::vector<float> numbers() {
    std::vector<float> all;
    each([&](element& y) { all.push_back(y); });
    return all;
  }
  /// Whether everything around the slice still is `guard`.
  bool intact() {
    const auto count = static_cast<std::ptrdiff_t>(bytes(at.batch, at.shape(), gap()) / sizeof(element));
    const auto* first = reinterpret_cast<const element*>(P::address(memory));
    for (std::ptrdiff_t k = 0; k < count; ++k) {
      const std::ptrdiff_t from_slice = first + k - at.data;
      const bool inside =
          from_slice >= 0 && from_slice < at.pixels() * at.pixel && from_slice % at.pixel < at.channels;
      if (!inside && first[k] != guard) return false;
    }
    return true;
  }

 private:
  int gap() const { return static_cast<int>(at.pixel) - at.channels; }
  static std::size_t bytes(int batch, shape s, int gap) {
    return sizeof(element) * static_cast<std::size_t>((pixels(s) * batch + 2) * (s.channels + gap));
  }
};

/// Weights as a policy packed them, each array padded with zeros to whole cache lines.
template <class P>
struct owned_weights {
  using element = typename P::element;
  typename P::buffer kernel{}, bias{}, border{};

  template <class Numbers>
  static typename P::buffer stored(const Numbers& floats) {
    const std::vector<element> numbers(floats.begin(), floats.end());
    const std::size_t size = numbers.size() * sizeof(element);
    typename P::buffer b = P::allocate((size + 63) / 64 * 64);
    if (size > 0) P::upload(b, 0, numbers.data(), size);
    return b;
  }
  owned_weights(const trial& t, const op& o, shape in, bool windowed, unsigned seed) {
    const bool dense = o.kind == op_kind::convolution;
    const std::vector<float> plain =
        random_numbers(t, windowed ? reference::packed_elements(o, in) : in.channels, seed);
    if (windowed) {
      std::vector<element> packed(static_cast<std::size_t>(P::packed_elements(o, in)));
      P::pack(o, in, plain.data(), packed.data());
      kernel = stored(packed);
    } else {
      kernel = stored(plain);
    }
    bias = stored(random_numbers(t, dense ? o.out : in.channels, seed + 1));
    if (o.pad.outside == padding::border::per_channel)
      border = stored(random_numbers(t, in.channels, seed + 2));
  }
  layer_weights<element> get() const {
    const auto at = [](const typename P::buffer& b) {
      return b ? reinterpret_cast<const element*>(P::address(b)) : nullptr;
    };
    return {at(kernel), at(bias), at(border)};
  }
};

struct outcome {
  std::vector<float> numbers;
  std::vector<std::uint8_t> labels;
  bool intact = true;
};

/// Runs a trial by one kernel of policy P.
template <class P>
outcome run(const trial& t, kernel_function<P> k, int threads) {
  const step s = step_of(t);
  const shape out = output_of(t);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const bool scaled = t.form.kind == step_kind::scale;
  const bool windowed = t.form.kind == step_kind::convolution || t.form.kind == step_kind::depthwise ||
                        t.form.kind == step_kind::separable;
  feature_map<P> x(t.batch, t.in, t.gap, nan), y(t.batch, out, t.gap, guard);
  feature_map<P> other(t.batch, scaled ? shape{1, 1, t.in.channels} : out, t.gap, nan);
  x.fill(random_numbers(t, elements(t.in) * t.batch, t.seed));
  other.fill(random_numbers(t, other.at.pixels() * other.at.channels, t.seed + 7));
  const owned_weights<P> weights(
      t, s.what, s.form.kind == step_kind::separable ? shape{out.height, out.width, t.in.channels} : t.in,
      windowed, t.seed + 20);
  const owned_weights<P> first(t, s.first, t.in, s.form.kind == step_kind::separable, t.seed + 30);

  operands<typename P::element> o{
      .run = &s, .x = x.at, .other = other.at, .y = y.at, .weights = weights.get(), .threads = threads};
  o.first_weights = first.get();
  const std::size_t scratch_bytes = P::scratch_bytes(s, t.in, threads);
  typename P::buffer scratch = P::allocate(scratch_bytes);
  o.scratch = {P::address(scratch), scratch_bytes};
  outcome result;
  std::vector<std::uint8_t> image_bytes, labels(static_cast<std::size_t>(pixels(out) * t.batch));
  const std::vector<float> image_numbers = random_numbers(elements(t.in) * t.batch, t.seed, 0, 255);
  for (float each : image_numbers) image_bytes.push_back(static_cast<std::uint8_t>(each));
  o.image = t.float_image ? pixels_view(image_numbers.data(), t.in, t.batch)
                          : pixels_view(image_bytes.data(), t.in, t.batch);
  if (t.seed % 3 == 1) o.image = o.image.mirrored();
  if (t.seed % 3 == 2) {
    o.image = t.float_image ? pixels_view::planes(image_numbers.data(), t.in, t.batch)
                            : pixels_view::planes(image_bytes.data(), t.in, t.batch);
  }
  const bool likely = t.form.kind == step_kind::probabilities;
  feature_map<reference> probabilities(t.batch, out, t.gap, guard);  // floats, whatever the policy stores
  if (likely) o.probabilities = probabilities.at;
  o.labels = {labels.data(), t.batch, {out.height, out.width, 1}};
  k(o);
  result.numbers = likely ? probabilities.numbers() : y.numbers();
  result.labels = labels;
  result.intact = y.intact() && probabilities.intact();
  return result;
}

// ---- comparison

inline double worst_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double worst = a.size() == b.size() ? 0 : std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < std::min(a.size(), b.size()); ++k) {
    if (a[k] == b[k]) continue;  // infinities too
    const double difference = std::abs(double(a[k]) - b[k]);
    if (!(difference <= worst))
      worst = std::isnan(difference) ? std::numeric_limits<double>::infinity() : difference;
  }
  return worst;
}

inline bool same_bits(const outcome& a, const outcome& b) {
  return a.labels == b.labels && a.numbers.size() == b.numbers.size() &&
         std::memcmp(a.numbers.data(), b.numbers.data(), a.numbers.size() * sizeof(float)) == 0;
}

/// Which output pixel of which image, all counted through.
struct position_in_image {
  std::int64_t image = 0;
  int row = 0, column = 0;
  position_in_image(std::int64_t pixel, shape s)
      : image(pixel / pixels(s)),
        row(static_cast<int>(pixel % pixels(s) / s.width)),
        column(static_cast<int>(pixel % s.width)) {}
};

/// A resized logit of a labels trial, in double.
inline double resized_logit(const trial& t, const std::vector<float>& x, std::int64_t pixel, int c) {
  const position_in_image at{pixel, t.target};
  const sample row = sample_at(at.row, t.in.height, t.target.height, t.corner);
  const sample column = sample_at(at.column, t.in.width, t.target.width, t.corner);
  const auto logit = [&](int i, int j) {
    return double(
        x[static_cast<std::size_t>(((at.image * t.in.height + i) * t.in.width + j) * t.in.channels + c)]);
  };
  const auto mixed = [](double low, double high, double part) { return low + (high - low) * part; };
  return mixed(mixed(logit(row.low, column.low), logit(row.low, column.high), column.fraction),
               mixed(logit(row.high, column.low), logit(row.high, column.high), column.fraction),
               row.fraction);
}

/// Labels that differ although their logits do not nearly tie.
inline int wrong_labels(const trial& t, const outcome& a, const outcome& b) {
  const std::vector<float> x = random_numbers(t, elements(t.in) * t.batch, t.seed);
  int wrong = 0;
  for (std::size_t p = 0; p < a.labels.size(); ++p) {
    if (a.labels[p] == b.labels[p]) continue;
    const auto pixel = static_cast<std::int64_t>(p);
    const double lead = resized_logit(t, x, pixel, a.labels[p]) - resized_logit(t, x, pixel, b.labels[p]);
    wrong += std::abs(lead) > 16 * double(std::numeric_limits<float>::epsilon());
  }
  return wrong;
}

inline constexpr auto all_structures = every_structure();

/// The reference does not look at these parts of a structure; without them it is compiled for fewer.
constexpr structure as_reference_sees(structure s) {
  s.kernel = s.stride = 0;
  s.border = false;
  return s;
}

/// The kernels of P for every structure, in the order of all_structures.
template <class P>
std::vector<kernel_function<P>> kernels_of() {
  constexpr bool plain = std::is_same_v<P, reference>;
  return []<std::size_t... K>(std::index_sequence<K...>) {
    return std::vector<kernel_function<P>>{
        kernel_for < P, plain ? as_reference_sees(all_structures[K]) : all_structures[K] > ()...};
  }
  (std::make_index_sequence<all_structures.size()>{});
}

}  // namespace grid
