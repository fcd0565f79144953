// SPDX-License-Identifier: MIT
#pragma once
// The same steps in oneDNN, where CMake found it: it has the layouts that it likes best, its input is activated
// already, and what it takes to get there is not timed. It runs a separable step as two primitives.
#include "steps.hpp"

#if defined(BENCHMARKS_ONEDNN)
#include <omp.h>

#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
#endif

namespace benchmarks {

#if defined(BENCHMARKS_ONEDNN)

class onednn_step {
 public:
  using element = float;

  onednn_step(const network_step& s, int threads) : numbers_(s, 1) {
    omp_set_num_threads(threads);
    const operands<float>& o = numbers_.get();
    std::vector<float> x(o.x.data, o.x.data + elements(s.x));
    for (float& each : x)
      if (s.run.form.before != activation::none) each = std::max(each, 0.F);
    dnnl::memory now = plain(nhwc(s.x), x.data());
    const structure& form = s.run.form;
    if (form.kind == step_kind::separable) {
      const shape middle{s.y.height, s.y.width, s.x.channels};
      now = add(s.run.first, s.x, middle, now, o.first_weights, form.between, nullptr);
      now = add(s.run.what, middle, s.y, now, o.weights, form.after, form.sum ? o.other.data : nullptr);
    } else {
      now = add(s.run.what, s.x, s.y, now, o.weights, form.after, form.sum ? o.other.data : nullptr);
    }
    y_ = now;
    result_layout_ = nhwc(s.y);
  }

  void run() {
    for (auto& [primitive, arguments] : layers_) primitive.execute(stream_, arguments);
    stream_.wait();
  }
  std::vector<float> result() {
    std::vector<float> numbers(result_layout_.get_size() / sizeof(float));
    dnnl::memory to(result_layout_, engine_, numbers.data());
    copy(y_, to);
    return numbers;
  }

 private:
  using dims = dnnl::memory::dims;
  using tag = dnnl::memory::format_tag;
  static constexpr auto f32 = dnnl::memory::data_type::f32;

  static dims extents(shape s) { return {1, s.channels, s.height, s.width}; }
  static dnnl::memory::desc nhwc(shape s) { return {extents(s), f32, tag::nhwc}; }

  dnnl::memory plain(const dnnl::memory::desc& d, const float* numbers) {
    return {d, engine_, const_cast<float*>(numbers)};
  }
  void copy(dnnl::memory& from, dnnl::memory& to) {
    dnnl::reorder(from, to).execute(stream_, from, to);
    stream_.wait();
  }
  dnnl::memory in_layout(const dnnl::memory::desc& wanted, dnnl::memory from) {
    dnnl::memory to(wanted, engine_);
    copy(from, to);
    return to;
  }

  static dnnl::primitive_attr epilogue(activation after, bool sum) {
    dnnl::post_ops all;
    if (sum) all.append_sum(1);
    if (after == activation::relu) all.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
    if (after == activation::relu6) all.append_eltwise(1, dnnl::algorithm::eltwise_clip, 0, 6);
    dnnl::primitive_attr made;
    made.set_post_ops(all);
    return made;
  }

  /// A convolution of `in`, dense or depthwise, and where its result lies. A second term is added to what lies there, so
  /// that only the first run is right.
  dnnl::memory add(const op& o, shape in, shape out, dnnl::memory x, const layer_weights<float>& w,
                   activation after, const float* other) {
    const bool each = o.kind == op_kind::depthwise;
    const dims kernel = each ? dims{in.channels, 1, 1, o.kernel, o.kernel}
                             : dims{out.channels, in.channels, o.kernel, o.kernel};
    const windows rows = rows_of(o, in), columns = columns_of(o, in);
    const auto behind = [&](const windows& v, int extent) -> dnnl::memory::dim {
      return std::max(0, (v.out - 1) * o.stride + (o.kernel - 1) * o.rate + 1 - v.before - extent);
    };
    const auto any = [](const dims& d) { return dnnl::memory::desc(d, f32, tag::any); };
    const dnnl::memory::desc bias({out.channels}, f32, tag::x);
    const dnnl::convolution_forward::desc what(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_auto,
        layers_.empty() ? any(extents(in)) : x.get_desc(), any(kernel), bias, any(extents(out)),
        {o.stride, o.stride}, {o.rate - 1, o.rate - 1}, {rows.before, columns.before},
        {behind(rows, in.height), behind(columns, in.width)});
    const dnnl::convolution_forward::primitive_desc chosen(what, epilogue(after, other != nullptr), engine_);
    if (layers_.empty()) x = in_layout(chosen.src_desc(), x);
    dnnl::memory y(chosen.dst_desc(), engine_);
    if (other != nullptr) y = in_layout(chosen.dst_desc(), plain(nhwc(out), other));
    const dnnl::memory::desc packed(kernel, f32, each ? tag::hwigo : tag::hwio);
    layers_.push_back({dnnl::convolution_forward(chosen),
                       {{DNNL_ARG_SRC, x},
                        {DNNL_ARG_WEIGHTS, in_layout(chosen.weights_desc(), plain(packed, w.kernel))},
                        {DNNL_ARG_BIAS, in_layout(bias, plain(bias, w.bias))},
                        {DNNL_ARG_DST, y}}});
    return y;
  }

  struct layer {
    dnnl::convolution_forward primitive;
    std::unordered_map<int, dnnl::memory> arguments;
  };

  prepared<reference> numbers_;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::vector<layer> layers_;
  dnnl::memory y_;
  dnnl::memory::desc result_layout_;
};

#endif

/// Registers steps of one kind, and each beside oneDNN where that is there.
template <step_kind Kind>
bool add_beside_onednn(const std::vector<network_step>& steps) {
  for (const network_step& s : steps) {
    add_policies<Kind>(s);
#if defined(BENCHMARKS_ONEDNN)
    add_step<onednn_step, Kind>("oneDNN/" + s.name, s);
#endif
  }
  return true;
}

}  // namespace benchmarks
