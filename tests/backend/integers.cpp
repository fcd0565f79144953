// Products of integers in place of numbers stored in half: what is lost, what cannot overflow, what is passed on.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "trials.hpp"

namespace {

using namespace grid;
using enum simd::instruction_set;

/// Sets that multiply integers.
std::vector<simd::instruction_set> sets() {
  std::vector<simd::instruction_set> all;
  for (auto set : {avx2, avx512, avx512_vnni})
    if (simd::has(set) && simd::properties_at(set).integers) all.push_back(set);
  return all;
}

/// x (rows, terms) times w (terms, columns), x and w as they are stored.
struct matrices {
  int rows = 0, terms = 0, columns = 0;
  std::vector<float> x, w;

  template <class X, class W>
  matrices(int height, int depth, int width, const X& of_x, const W& of_w)
      : rows(height), terms(depth), columns(width) {
    for (int i = 0; i < rows; ++i)
      for (int k = 0; k < terms; ++k) x.push_back(half(of_x(i, k)));
    for (int k = 0; k < terms; ++k)
      for (int j = 0; j < columns; ++j) w.push_back(of_w(k, j));
  }

  /// By kernels for an instruction set, which round the result to half.
  std::vector<float> product(simd::instruction_set set) const {
    step s{.form = {.kind = step_kind::convolution}};
    s.what = {.kind = op_kind::convolution, .out = columns};
    const cpu::packed_integers<half> at(set, terms, columns);
    std::vector<half> packed(static_cast<std::size_t>(at.elements())), from(x.begin(), x.end()),
        bias(static_cast<std::size_t>(columns) + 32, half(0.0F)),
        to(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns));
    REQUIRE(cpu::rounds_to_integers<half>(set, s.what, terms));
    cpu::kernels<half>::pack(set, s.what, {1, rows, terms}, w.data(), packed.data());
    operands<half> o{.run = &s};
    o.x = view<const half>(from.data(), 1, {1, rows, terms});
    o.y = view<half>(to.data(), 1, {1, rows, columns});
    o.weights = {packed.data(), bias.data(), nullptr};
    std::vector<std::byte> scratch(cpu::dense_scratch<half>(set, s.what, {1, rows, terms}, 1) + 64);
    o.scratch = scratch;
    cpu::kernels<half>::convolution(set, o, activation::none, false, nullptr);
    return {to.begin(), to.end()};
  }

  /// The sum, or that of magnitudes.
  double exact(int i, int j, bool magnitudes = false) const {
    double sum = 0;
    for (int k = 0; k < terms; ++k) {
      const double term =
          double(x[static_cast<std::size_t>(i * terms + k)]) * w[static_cast<std::size_t>(k * columns + j)];
      sum += magnitudes ? std::abs(term) : term;
    }
    return sum;
  }
};

/// Largest difference, relative to the sum of magnitudes, and without the rounding of results.
double worst(const matrices& m, const std::vector<float>& found) {
  double most = 0;
  for (int i = 0; i < m.rows; ++i)
    for (int j = 0; j < m.columns; ++j) {
      const double wanted = m.exact(i, j), y = found[static_cast<std::size_t>(i * m.columns + j)];
      const double rest = std::max(0.0, std::abs(y - wanted) - std::abs(wanted) * 0x1p-11);
      most = std::max(most, rest / m.exact(i, j, true));
    }
  return most;
}

/// The largest norm of any `most` integers that follow each other, and the largest of them.
struct extent_of_integers {
  double norm = 0, largest = 0;

  template <class Number>
  extent_of_integers(int count, int most, const Number& number) {
    double squares = 0;
    const auto square = [&](int k) { return double(number(k)) * number(k); };
    for (int k = 0; k < count; ++k) {
      squares += square(k) - (k >= most ? square(k - most) : 0);
      norm = std::max(norm, std::sqrt(squares));
      largest = std::max(largest, std::abs(double(number(k))));
    }
  }
};

/// Weights (terms, columns), packed; the places of columns are those of whole panels.
struct packed_columns {
  int terms = 0, columns = 0, width = 0;
  std::vector<half> packed;
  cpu::packed_integers<half> at;

  packed_columns(simd::instruction_set set, int depth, int across, const std::vector<float>& w)
      : terms(depth), columns(across), width(cpu::panel_columns<half>(set)), at(set, depth, across) {
    packed.resize(static_cast<std::size_t>(at.elements()));
    cpu::pack_integers(set, terms, columns, w.data(), packed.data());
  }
  int places() const { return (columns + width - 1) / width * width; }
  int operator()(int k, int place) const {
    const auto* integers = reinterpret_cast<const std::int16_t*>(packed.data());
    return integers[place / width * width * terms + (k / 2 * width + place % width) * 2 + k % 2];
  }
  extent_of_integers extent(int place) const {
    return {terms, cpu::most_terms, [&](int k) { return (*this)(k, place); }};
  }
  /// The worst error of columns that lie where they are, in units of their scales.
  double worst(const std::vector<float>& w) const {
    double most = 0;
    for (int j = 0; j < columns / width * width; ++j)
      for (int k = 0; k < terms; ++k) {
        const double scale = at.scales(packed.data())[j], balance = at.balances(packed.data())[k];
        if (balance == 0 || scale == 0) continue;
        const double exact = w[static_cast<std::size_t>(k * columns + j)] / balance / scale;
        most = std::max(most, std::abs((*this)(k, j) - exact));
      }
    return most;
  }
};

constexpr double exactness = 1e-5;  // of norms, as floats have them
static_assert(double{cpu::most_of_row} * cpu::most_of_column * (1 + exactness) * (1 + exactness) <=
              2147483647.0);

}  // namespace

TEST_CASE("integers: the largest sums there can be do not overflow") {
  for (const auto set : sets())
    for (int terms : {32, 254, 258, 728, 768, 1536})
      for (float sign : {1.0F, -1.0F}) {
        const matrices all_ones(
            15, terms, 40, [](int, int) { return 1.0F; }, [&](int, int) { return sign; });
        CHECK(worst(all_ones, all_ones.product(set)) < 1e-3);
        const matrices turning(
            15, terms, 40, [](int, int k) { return k < 200 ? 0.5F : -0.5F; },
            [&](int k, int) { return k < 200 ? sign * 1e-3F : sign * 9.0F; });
        CHECK(worst(turning, turning.product(set)) < 1e-3);
      }
}

TEST_CASE("integers: norms of columns are within what sums allow, wherever a part of the terms begins") {
  std::mt19937 engine{3};
  std::normal_distribution<float> any;
  const int terms = 1700, columns = 75;
  for (const auto set : sets())
    for (int kind = 0; kind < 4; ++kind) {
      std::vector<float> w;
      for (int k = 0; k < terms; ++k)
        for (int j = 0; j < columns; ++j)
          w.push_back(kind == 0   ? any(engine)
                      : kind == 1 ? (k / 100 % 2 == 1 ? 1000.0F : 0.001F) * (j % 2 == 0 ? 1.0F : any(engine))
                      : kind == 2 ? (j == k % columns ? 50.0F : 1e-3F)
                      : k == j
                          ? -3.0F  // alone in its column: not its norm, but what 16 bits hold is the bound
                          : 0.0F);
      const packed_columns packed(set, terms, columns, w);
      extent_of_integers most = packed.extent(0);
      for (int j = 0; j < packed.places(); ++j) {
        const extent_of_integers found = packed.extent(j);
        most.norm = std::max(most.norm, found.norm);
        most.largest = std::max(most.largest, found.largest);
      }
      CHECK(packed.worst(w) <= 0.51);
      CHECK(most.norm <= cpu::most_of_column * (1 + exactness));
      CHECK(most.largest <= cpu::largest_integer + 1);
      if (kind < 3) CHECK(most.norm > 0.99 * cpu::most_of_column);  // and none is given away
      if (kind == 3) CHECK(most.largest > 0.99 * cpu::largest_integer);
    }
}

TEST_CASE("integers: norms of columns are within what sums allow where all numbers are rounded up") {
  for (const auto set : sets())
    for (int terms = 32; terms <= cpu::most_terms; terms += 2) {  // of equal weights, some just above 1/2
      const packed_columns packed(set, terms, 32,
                                  std::vector<float>(static_cast<std::size_t>(terms) * 32, 0.7F));
      CHECK(packed.extent(0).norm <= cpu::most_of_column * (1 + 1e-6));
    }
}

TEST_CASE("integers: norms of rows are within what sums allow, however large or small their numbers are") {
  std::mt19937 engine{4};
  std::normal_distribution<float> any;
  const int rows = 43;
  const float sizes[] = {1.0F, 60000.0F, 1e9F, 1e-7F, 1e-12F};
  for (const auto set : sets())
    for (int terms : {32, 34, 62, 66, 200, 500, cpu::most_terms}) {
      const std::vector<float> balances(static_cast<std::size_t>(terms), 0.25F);
      std::vector<float> x;
      for (int i = 0; i < rows; ++i)
        for (int k = 0; k < terms; ++k)
          x.push_back(i % 6 == 5 ? (k == terms - 1 ? 1.0F : 0.0F) : sizes[i % 6] * any(engine));
      std::vector<simd::pair> pairs(x.size()), in_place(x.size());
      std::memcpy(in_place.data(), x.data(), x.size() * sizeof(float));
      std::vector<float> scales(static_cast<std::size_t>(rows)), same(static_cast<std::size_t>(rows));
      const auto round = [&](const float* from, std::vector<simd::pair>& to, std::vector<float>& found) {
        simd::dispatch(set, cpu::rounded_rows<float>{from, terms, rows, terms, balances.data(), to.data(),
                                                     terms, found.data()});
      };
      round(x.data(), pairs, scales);
      round(reinterpret_cast<const float*>(in_place.data()), in_place, same);
      CHECK(scales == same);
      for (int i = 0; i < rows; ++i) {
        const auto* integers = reinterpret_cast<const std::int16_t*>(pairs.data() + i * terms);
        CHECK(std::memcmp(integers, in_place.data() + i * terms, static_cast<std::size_t>(terms) * 2) == 0);
        const extent_of_integers found(terms, terms, [&](int k) { return integers[k]; });
        CHECK(found.norm <= cpu::most_of_row * (1 + exactness));
        CHECK(found.norm > 0.7 * cpu::most_of_row);  // of a few dozen numbers some count twice
        const double scale = scales[static_cast<std::size_t>(i)];
        double most = 0;
        for (int k = 0; k < terms; ++k)
          most = std::max(most,
                          std::abs(integers[k] * scale - 0.25 * x[static_cast<std::size_t>(i * terms + k)]));
        CHECK(most <= 0.51 * scale);
      }
    }
}

TEST_CASE("integers: no part of the terms is shorter than the rows that are rounded may be") {
  const auto set = avx512_vnni;
  const op pointwise{.kind = op_kind::convolution, .out = 64},
      window{.kind = op_kind::convolution, .out = 64, .kernel = 3};
  for (int channels = cpu::least_integers; channels <= cpu::most_integers; channels += 2) {
    REQUIRE(cpu::rounds_to_integers<half>(set, pointwise, channels) == simd::properties_at(set).integers);
    const auto last = [&](int step) { return channels - (channels - 1) / step * step; };
    CHECK(last(cpu::terms_at_once(channels)) >= cpu::least_integers);
    CHECK(last(cpu::convolution_cut<half>(set, window, channels).channels) >= cpu::least_integers);
    CHECK(last(cpu::winograd::group_cut<half>(set, window, {9, 9, channels}, 1).channels) >=
          cpu::least_integers);
  }
  CHECK(!cpu::rounds_to_integers<half>(set, pointwise, cpu::most_integers + 2));
}

TEST_CASE("integers: a row of numbers whose squares are nothing is nothing") {
  for (const auto set : sets()) {
    std::vector<float> x(64, 1e-25F), balances(64, 1.0F), scales(1);
    std::vector<simd::pair> pairs(64);
    simd::dispatch(
        set, cpu::rounded_rows<float>{x.data(), 64, 1, 64, balances.data(), pairs.data(), 64, scales.data()});
    for (int k = 0; k < 64; ++k) CHECK(reinterpret_cast<const std::int16_t*>(pairs.data())[k] == 0);
    CHECK(scales[0] > 0);
    CHECK(scales[0] < 1e-20F);
  }
}

TEST_CASE("integers: channels of any size are rounded to the same part of what they add") {
  std::mt19937 engine{7};
  std::normal_distribution<float> any;
  const auto size = [](int k) { return std::pow(4.0F, static_cast<float>(k % 6)); };
  for (const auto set : sets())
    for (int terms : {32, 66, 728}) {
      const matrices m(
          16, terms, 45, [&](int, int k) { return any(engine) * size(k); },
          [&](int k, int) { return any(engine) / size(k); });
      CHECK(worst(m, m.product(set)) < 2e-4);
    }
}

TEST_CASE("integers: columns and rows of zeros are zeros, beside weights that half cannot store") {
  for (const auto set : sets()) {
    const matrices m(
        17, 64, 40, [](int i, int k) { return i == 3 ? 0.0F : 0.01F * static_cast<float>(k % 5); },
        [](int, int j) { return j == 2   ? 0.0F
                                : j == 5 ? 1e6F
                                         : 1.0F; });
    const std::vector<float> y = m.product(set);
    for (int j = 0; j < 40; ++j) CHECK(y[static_cast<std::size_t>(3 * 40 + j)] == 0);
    for (int i = 0; i < 17; ++i) CHECK(y[static_cast<std::size_t>(i * 40 + 2)] == 0);
    CHECK(y[41] == doctest::Approx(m.exact(1, 1)).epsilon(1e-3));
  }
}

TEST_CASE("integers: channels whose weights are next to nothing are nothing") {
  for (const auto set : sets()) {
    const matrices m(
        16, 64, 40, [](int, int) { return 1.0F; },
        [](int k, int j) { return k < 4    ? (j % 3 == 0 ? 0.0F : 1e-40F)
                                  : j == 7 ? 1e-38F
                                           : 0.5F; });
    const std::vector<float> y = m.product(set);
    CHECK(y[0] == 30);
    CHECK(y[7] == 0);
  }
}

TEST_CASE("integers: what is no number, or infinite, spoils its own row alone") {
  for (const auto set : sets())
    for (float odd : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      const matrices m(
          20, 728, 33, [&](int i, int k) { return i == 4 && k == 727 ? odd : 1.0F; },
          [](int, int) { return 0.5F; });
      const std::vector<float> y = m.product(set);
      for (int i = 0; i < 20; ++i)
        for (int j = 0; j < 33; ++j) CHECK(std::isnan(y[static_cast<std::size_t>(i * 33 + j)]) == (i == 4));
    }
}

TEST_CASE("integers: where in a tile a pixel is multiplied makes no difference") {
  constexpr structure separated{.kind = step_kind::separable, .kernel = 3, .stride = 1};
  const auto k = kernel_for<openmp_half, separated>();
  for (int rate : {2, 4, 12}) {
    const trial t{
        .form = separated, .kernel = 3, .rate = rate, .in = {33, 33, 64}, .out = 256, .halves = true};
    const outcome one = run<openmp_half>(t, k, 1);
    for (int threads : {2, 3, 16}) CHECK(same_bits(one, run<openmp_half>(t, k, threads)));
  }
}

TEST_CASE(
    "integers: every kernel that multiplies computes what the reference computes, on any number of threads") {
  constexpr structure convolved{.kind = step_kind::convolution, .kernel = 3, .stride = 1, .sum = true},
      strided{.kind = step_kind::convolution, .kernel = 3, .stride = 2, .after = activation::relu},
      bordered{.kind = step_kind::convolution, .kernel = 0, .stride = 0, .border = true},
      separated{
          .kind = step_kind::separable, .kernel = 3, .stride = 1, .before = activation::relu, .sum = true};
  const auto check = [&]<structure Form>(trial t) {
    t.form = Form, t.halves = true;
    if (pixels(output_of(t)) == 0) return;
    const outcome wanted = run<reference>(t, kernel_for<reference, as_reference_sees(Form)>(), 1);
    double largest = 0;
    for (float each : wanted.numbers) largest = std::max(largest, std::abs(double(each)));
    using policy = openmp_half;
    const kernel_function<policy> k = kernel_for<policy, Form>();
    const outcome one = run<policy>(t, k, 1);
    CHECK_MESSAGE(one.intact, text_of(t));
    for (int threads : {2, 3, 5}) CHECK_MESSAGE(same_bits(one, run<policy>(t, k, threads)), text_of(t));
    const double difference = worst_difference(one.numbers, wanted.numbers);
    CHECK_MESSAGE(difference <= 3e-3 * largest + 1e-3, text_of(t), ": ", difference, " of ", largest);
  };
  picker p;
  for (int i = 0; i < 40; ++i) {
    trial t = some_trial(p, convolved);
    t.in = {p.any({1, 4, 9}), p.any({2, 5, 13}), p.any({32, 34, 50, 66, 290})},
    t.out = p.any({32, 33, 47, 70});
    check.template operator()<convolved>(t);
    check.template operator()<separated>(t);
    t.stride = 2;
    check.template operator()<strided>(t);
    t.stride = p.any({1, 3}), t.kernel = p.any({1, 2, 4});
    check.template operator()<bordered>(t);
  }
}
