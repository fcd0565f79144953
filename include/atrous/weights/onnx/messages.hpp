// SPDX-License-Identifier: MIT
#pragma once
// The parts of an ONNX graph as the messages of onnx.proto. Numbers of initialisers are not among them: they are written
// behind the head of their message, one tensor at a time (file.hpp).
#include <cstdint>
#include <map>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <string_view>

#include <atrous/core/version.hpp>
#include <atrous/weights/onnx/graph.hpp>

namespace atrous {

/// What is written: of these versions, ONNX Runtime reads them since 1.12.
inline constexpr int onnx_opset = 17, onnx_ir_version = 8;

/// The numbers of the fields, as onnx.proto has them.
namespace onnx_field {
enum model : std::uint32_t {
  ir_version = 1,
  producer_name = 2,
  producer_version = 3,
  model_doc = 6,
  graph = 7,
  opset_import = 8,
  metadata = 14
};
enum graph_part : std::uint32_t { node = 1, name = 2, tensor = 5, graph_doc = 10, input = 11, output = 12 };
enum tensor_part : std::uint32_t {
  dims = 1,
  data_type = 2,
  tensor_name = 8,
  raw_data = 9,
  external_data = 13,
  data_location = 14
};
}  // namespace onnx_field

inline std::string onnx_pair(const std::string& key, const std::string& value) {
  std::string bytes;
  protozero::pbf_writer w(bytes);
  w.add_string(1, key);
  w.add_string(2, value);
  return bytes;
}

inline std::string onnx_message(const onnx_attribute& a) {
  enum : std::int32_t { of_float = 1, of_number = 2, of_text = 3, of_numbers = 7 };
  std::string bytes;
  protozero::pbf_writer w(bytes);
  w.add_string(1, a.name);
  if (const auto* number = std::get_if<std::int64_t>(&a.value)) {
    w.add_int64(3, *number);
    w.add_enum(20, of_number);
  } else if (const auto* real = std::get_if<float>(&a.value)) {
    w.add_float(2, *real);
    w.add_enum(20, of_float);
  } else if (const auto* text = std::get_if<std::string>(&a.value)) {
    w.add_bytes(4, *text);
    w.add_enum(20, of_text);
  } else {
    for (const std::int64_t each : std::get<std::vector<std::int64_t>>(a.value)) w.add_int64(8, each);
    w.add_enum(20, of_numbers);
  }
  return bytes;
}

inline std::string onnx_message(const onnx_node& n) {
  std::string bytes;
  protozero::pbf_writer w(bytes);
  for (const std::string& input : n.inputs) w.add_string(1, input);
  w.add_string(2, n.output);
  w.add_string(3, n.name);
  w.add_string(4, n.type);
  for (const onnx_attribute& a : n.attributes) w.add_message(5, onnx_message(a));
  return bytes;
}

inline std::string onnx_message(const onnx_value& v) {
  std::string bytes;
  protozero::pbf_writer w(bytes);
  w.add_string(1, v.name);
  {
    protozero::pbf_writer type(w, 2);
    protozero::pbf_writer tensor(type, 1);
    tensor.add_enum(1, static_cast<std::int32_t>(v.type));
    protozero::pbf_writer shape(tensor, 2);
    for (const onnx_extent& extent : v.shape) {
      protozero::pbf_writer dimension(shape, 1);
      if (const auto* number = std::get_if<std::int64_t>(&extent))
        dimension.add_int64(1, *number);
      else
        dimension.add_string(2, std::get<std::string>(extent));
    }
  }
  w.add_string(3, v.doc);
  return bytes;
}

/// Where the numbers of a tensor lie: behind the head of its message, or in another file.
struct onnx_place {
  std::string file = {};  // "": behind the head
  std::uint64_t offset = 0;
};

/// The message of a tensor but for its numbers, which follow where they are in this file.
inline std::string onnx_tensor_head(const onnx_tensor& t, const onnx_place& place) {
  using namespace onnx_field;
  std::string bytes;
  protozero::pbf_writer w(bytes);
  for (const std::int64_t extent : t.shape) w.add_int64(dims, extent);
  w.add_enum(data_type,
             static_cast<std::int32_t>(t.type == element_type::i64 ? onnx_type::i64 : onnx_type::f32));
  w.add_string(tensor_name, t.name);
  if (place.file.empty()) {
    protozero::add_varint_to_buffer(&bytes, std::uint64_t{raw_data} << 3 | 2);
    protozero::add_varint_to_buffer(&bytes, t.size_bytes());
    return bytes;
  }
  w.add_message(external_data, onnx_pair("location", place.file));
  w.add_message(external_data, onnx_pair("offset", std::to_string(place.offset)));
  w.add_message(external_data, onnx_pair("length", std::to_string(t.size_bytes())));
  w.add_enum(data_location, 1);
  return bytes;
}

/// The fields of a model that stand before its graph.
inline std::string onnx_model_head(const onnx_graph& g, const std::map<std::string, std::string>& metadata) {
  using namespace onnx_field;
  std::string bytes;
  protozero::pbf_writer w(bytes);
  w.add_int64(ir_version, onnx_ir_version);
  w.add_string(producer_name, "atrous");
  w.add_string(producer_version, text_of(version));
  w.add_string(model_doc, g.doc);
  {
    protozero::pbf_writer opset(w, opset_import);
    opset.add_string(1, "");
    opset.add_int64(2, onnx_opset);
  }
  for (const auto& [key, value] : metadata) w.add_message(onnx_field::metadata, onnx_pair(key, value));
  return bytes;
}

/// The fields of a graph before its tensors, and those behind them.
inline std::string onnx_graph_head(const onnx_graph& g) {
  std::string bytes;
  protozero::pbf_writer w(bytes);
  for (const onnx_node& n : g.nodes) w.add_message(onnx_field::node, onnx_message(n));
  w.add_string(onnx_field::name, g.name);
  return bytes;
}
inline std::string onnx_graph_tail(const onnx_graph& g) {
  std::string bytes;
  protozero::pbf_writer w(bytes);
  w.add_string(onnx_field::graph_doc, g.doc);
  w.add_message(onnx_field::input, onnx_message(g.input));
  w.add_message(onnx_field::output, onnx_message(g.output));
  return bytes;
}

}  // namespace atrous
