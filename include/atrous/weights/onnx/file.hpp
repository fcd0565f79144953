// SPDX-License-Identifier: MIT
#pragma once
// Writes an ONNX graph to a file, one tensor in memory at a time. Beyond what one protobuf message holds, or where it is
// asked for, the numbers of large tensors go into a second file beside it.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <atrous/weights/onnx/messages.hpp>
#include <atrous/weights/printable.hpp>
#include <atrous/weights/replaced_file.hpp>

namespace atrous {

/// What a protobuf message may hold.
inline constexpr std::uint64_t most_message_bytes = (std::uint64_t{1} << 31) - 1;

class onnx_file {
 public:
  /// `external`: large tensors go into PATH.data whatever the size.
  onnx_file(const std::filesystem::path& path, const onnx_graph& g,
            const std::map<std::string, std::string>& metadata, bool external)
      : path_(path), g_(g), head_(onnx_model_head(g, metadata)) {
    lay_out(external);
    if (bytes() > most_message_bytes && !external) lay_out(true);
    if (bytes() > most_message_bytes) {
      throw std::invalid_argument(printable_path(path.string()) + ": expected an ONNX graph of at most " +
                                  std::to_string(most_message_bytes) + " bytes, found " +
                                  std::to_string(bytes()));
    }
  }

  /// Writes both files; each appears whole or not at all, the numbers first.
  void write() const {
    std::optional<replaced_file> data;
    if (data_bytes_ > 0) data.emplace(data_path());
    replaced_file model(path_);
    put(model, head_ + key(onnx_field::graph, graph_bytes_) + graph_head_);
    std::uint64_t at = 0;
    for (std::size_t i = 0; i < g_.tensors.size(); ++i) {
      put(model, key(onnx_field::tensor, message_bytes(i)) + heads_[i]);
      replaced_file& numbers = outside_[i] ? *data : model;
      if (outside_[i]) {
        put(numbers, std::string(aligned(at) - at, '\0'));
        at = aligned(at) + g_.tensors[i].size_bytes();
      }
      numbers.write(bytes_of(g_.tensors[i]));
    }
    put(model, graph_tail_);
    if (data) data->flush();
    model.flush();
    if (data) data->commit();
    model.commit();
  }

  /// Bytes of the model's file, and of the file beside it.
  std::uint64_t bytes() const {
    return head_.size() + key(onnx_field::graph, graph_bytes_).size() + graph_bytes_;
  }
  std::uint64_t data_bytes() const { return data_bytes_; }
  std::filesystem::path data_path() const {
    std::filesystem::path name = path_;
    return name += ".data";
  }

 private:
  /// Tensors below stay in the model, as small ones are needed to know shapes; those outside begin at pages.
  static constexpr std::uint64_t least_outside = 1024, page = 4096;
  static constexpr std::uint64_t aligned(std::uint64_t at) { return (at + page - 1) / page * page; }

  static std::string key(std::uint32_t field, std::uint64_t length) {
    std::string bytes;
    protozero::add_varint_to_buffer(&bytes, std::uint64_t{field} << 3 | 2);
    protozero::add_varint_to_buffer(&bytes, length);
    return bytes;
  }
  static void put(replaced_file& file, const std::string& text) {
    file.write(std::as_bytes(std::span(text)));
  }

  static std::span<const std::byte> bytes_of(const onnx_tensor& t) {
    const std::span<const std::byte> bytes = t.bytes();
    if (bytes.size() == t.size_bytes()) return bytes;
    throw std::invalid_argument("ONNX: tensor " + t.name + ": expected " + std::to_string(t.size_bytes()) +
                                " bytes, found " + std::to_string(bytes.size()));
  }

  std::uint64_t message_bytes(std::size_t i) const {
    return heads_[i].size() + (outside_[i] ? 0 : g_.tensors[i].size_bytes());
  }

  /// Says where every tensor lies, and how long all messages are.
  void lay_out(bool external) {
    heads_.clear();
    outside_.clear();
    data_bytes_ = 0;
    graph_head_ = onnx_graph_head(g_);
    graph_tail_ = onnx_graph_tail(g_);
    graph_bytes_ = graph_head_.size() + graph_tail_.size();
    for (std::size_t i = 0; i < g_.tensors.size(); ++i) {
      const onnx_tensor& t = g_.tensors[i];
      outside_.push_back(external && t.size_bytes() >= least_outside);
      onnx_place place;
      if (outside_.back()) {
        place = {data_path().filename().string(), aligned(data_bytes_)};
        data_bytes_ = place.offset + t.size_bytes();
      }
      heads_.push_back(onnx_tensor_head(t, place));
      graph_bytes_ += key(onnx_field::tensor, message_bytes(i)).size() + message_bytes(i);
    }
  }

  std::filesystem::path path_;
  const onnx_graph& g_;
  std::string head_, graph_head_, graph_tail_;
  std::vector<std::string> heads_;  // of the tensors
  std::vector<bool> outside_;       // whether a tensor's numbers are in the other file
  std::uint64_t graph_bytes_ = 0, data_bytes_ = 0;
};

}  // namespace atrous
