// SPDX-License-Identifier: MIT
// Whatever the bytes, the reader of checkpoints returns tensors within the shards or throws one plain line. An even first
// byte: four bytes of length, an index of it, shards. An odd one: two bytes of length, the contents of the index's only
// block, shards. Bit 1 of it: two shards. The check sums of blocks are put right first, or hardly any input would get
// past them.
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <atrous/weights/tensorflow/checkpoint.hpp>

#include "../support/tensorflow_files.hpp"
#include "reader.hpp"

static void mend_block(std::string& file, const atrous::block_handle& h) {
  if (h.offset > file.size() || h.size > file.size() || file.size() - h.offset < h.size + 5) return;
  const auto sum = tensorflow_files::check_sum(std::string_view(file).substr(h.offset, h.size + 1));
  file.replace(h.offset + h.size + 1, 4, tensorflow_files::word(sum));
}

static void mend_check_sums(std::string& file) {
  const std::string unmended = file;
  const auto all = std::as_bytes(std::span(unmended));
  if (!atrous::is_sorted_table(all)) return;
  auto footer = all.last(48);
  const auto metaindex = atrous::take_handle(footer), index = atrous::take_handle(footer);
  if (!metaindex || !index || index->offset > all.size()) return;
  auto left = all.subspan(index->offset);
  left = left.first(std::min<std::size_t>(left.size(), index->size));
  while (true) {
    const auto shared = atrous::take_varint(left), key = atrous::take_varint(left),
               value = atrous::take_varint(left);
    if (!shared || !key || !value || *key > left.size() || *value > left.size() - *key) break;
    auto place = left.subspan(*key, *value);
    if (const auto handle = atrous::take_handle(place)) mend_block(file, *handle);
    left = left.subspan(*key + *value);
  }
  mend_block(file, *metaindex);
  mend_block(file, *index);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const unsigned mode = size > 0 ? data[0] : 0;
  const std::size_t width = (mode & 1) != 0 ? 2 : 4;
  if (size < 1 + width) return 0;
  std::size_t length = 0;
  for (std::size_t i = 0; i < width; ++i) length |= std::size_t{data[1 + i]} << 8 * i;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1 + width, size - 1 - width);
  std::string index(rest.substr(0, length));
  if ((mode & 1) != 0) {
    index = tensorflow_files::table({{index, "\xff\xff\xff\xff", 0}});
  } else {
    mend_check_sums(index);
  }
  const auto shard = std::as_bytes(std::span(rest.substr(std::min(length, rest.size()))));
  std::vector<std::span<const std::byte>> shards{shard};
  if ((mode & 2) != 0) shards = {shard.first(shard.size() / 2), shard.subspan(shard.size() / 2)};
  return check_reader([&] {
    const auto set = atrous::read_checkpoint(std::as_bytes(std::span(index)), shards, "fuzz");
    check_tensors(set);
    verify_all(set);
  });
}
