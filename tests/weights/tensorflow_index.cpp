// SPDX-License-Identifier: MIT
// The index of a TensorFlow checkpoint, written here with one thing wrong at a time.
#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "../support/checkpoint_text.hpp"

namespace {

using namespace tensorflow_files;

}  // namespace

TEST_CASE("tables of several blocks are read") {
  std::vector<key_value> first{{"", header(3)}}, second;
  std::string data;
  for (int i = 100; i < 200; ++i) {
    const std::string name = "layer/" + std::to_string(i) + "/weights",
                      bytes = word(static_cast<unsigned>(i));
    (i < 150 ? first : second)
        .emplace_back(name,
                      tensor_entry{.offset = 4 * (i - 100), .sum = check_sum(bytes), .shard = 1}.text());
    data += bytes;
  }
  for (const std::size_t interval : {1, 2, 16, 1000}) {
    const checkpoint_text text(
        table({{block(first, interval), "layer/14a", 0}, {block(second, interval), "layer/2", 0}}),
        {"", data, ""});
    const auto set = text.read();
    CHECK(set.tensors.size() == 100);
    REQUIRE(set.find("layer/177/weights") != nullptr);
    CHECK(set.find("layer/177/weights")->bytes[0] == std::byte{177});
    verify_all(set);
  }
  CHECK(says(refusal_of(table({{block(first), "layer/15", 0}, {block(second), "layer/15", 0}})),
             "block at byte "));  // the index block's keys do not ascend
  CHECK(says(refusal_of(table({{block(first), "layer/2", 0}, {block(second), "layer/3", 0}})),
             "expected ascending keys, found \"layer/150/weights\" behind \"layer/2\""));
  CHECK(says(refusal_of(table({{block(first), "layer/1", 0}})),
             "index block: expected a key from \"layer/149/weights\", found \"layer/1\""));
}

TEST_CASE("blocks that are not as the format says are refused") {
  const std::string head = table_entry(0, "", header()), w = tensor_entry{}.text();
  const auto one = [&](const std::string& contents, char type = 0) {
    return refusal_of(table({{contents, "\xff", type}}));
  };
  CHECK(one(block({{"", header()}}), 1) == "block at byte 0: expected no compression, found Snappy");
  CHECK(one(block({{"", header()}}), 2) == "block at byte 0: expected no compression (0), found type 2");
  CHECK(says(one(""), "expected restart points, found none"));
  CHECK(says(one(word(0)), "expected restart points, found none"));
  CHECK(says(one(word(7) + word(0xffffffff)), "expected restart points, found none"));
  CHECK(says(one(head + table_entry(0, "w", w) + restart_points({0, 1})), "expected restart points where"));
  CHECK(says(one(head + table_entry(0, "w", w) + restart_points({3})), "expected restart points where"));
  const std::string wx = head + table_entry(0, "w", w);
  CHECK(says(one(wx + table_entry(1, "x", w) + restart_points({0, static_cast<std::uint32_t>(wx.size())})),
             "shares at most 0 bytes with the one before, found 1"));
  CHECK(says(one(wx + table_entry(2, "x", w) + restart_points({0})), "shares at most 1 bytes"));
  CHECK(says(one(wx + table_entry(0, "w", w) + restart_points({0})), "expected ascending keys"));
  CHECK(says(one(wx + table_entry(0, "a", w) + restart_points({0})), "expected ascending keys"));
  CHECK(says(one(wx + table_entry(1, "", w) + restart_points({0})), "expected ascending keys"));
  CHECK(says(one(head + varint(0) + varint(~0ull) + varint(0) + restart_points({0})), "leaves it"));
  CHECK(says(one(head + varint(0) + varint(1) + varint(~0ull) + "x" + restart_points({0})), "leaves it"));
  CHECK(says(one(head + std::string(10, '\xff') + restart_points({0})), "leaves it"));
  CHECK(says(one(head + std::string("\x80\x00\x01\x00x", 5) + restart_points({0})), "leaves it"));
}

TEST_CASE("shared beginnings of keys do not make a small index large") {
  const tensor_entry empty{.shape = {0}, .size = 0};
  std::string entries =
      table_entry(0, "", header()) + table_entry(0, std::string(100'000, 'k'), empty.text());
  for (int i = 0; i < 10'000; ++i) entries += table_entry(100'000 + i, "l", empty.text());
  CHECK(says(refusal_of(table({{entries + restart_points({0}), "\xff", 0}})), "bytes in all, found more"));
}

TEST_CASE("footers and index blocks that do not fit are refused") {
  const std::string good = index({{"w", tensor_entry{}.text()}});
  const auto footer_of = [&good](const std::string& handles) {
    std::string file = good.substr(0, good.size() - 48) + handles;
    file.resize(good.size() - 8);
    return refusal_of(file + good.substr(good.size() - 8));
  };
  auto handles = bytes_of(good).last(48);
  atrous::take_handle(handles);
  const auto place = atrous::take_handle(handles);
  REQUIRE(place);
  CHECK(says(footer_of(varint(1ull << 63) + varint(8) + varint(place->offset) + varint(place->size)),
             "the next at byte 9223372036854775808"));
  CHECK(says(footer_of(varint(0) + varint(8) + varint(0) + varint(~0ull)),
             "expected it and its trailer within"));
  CHECK(says(footer_of(varint(0) + varint(8) + varint(~0ull) + varint(1)),
             "expected it and its trailer within"));
  CHECK(says(footer_of(std::string(20, '\xff')), "footer: expected the places of two blocks"));
  CHECK(says(footer_of(varint(1) + varint(2) + varint(3) + varint(4) + "x"), "footer: expected zeros"));
  const auto with_index = [](const std::string& value) {
    const std::string data = block({{"", header()}}), meta = block({}), places = block({{"\xff", value}});
    std::string file = data + trailer(data, 0), footer = varint(file.size()) + varint(meta.size());
    file += meta + trailer(meta, 0);
    footer += varint(file.size()) + varint(places.size());
    file += places + trailer(places, 0);
    footer.resize(40);
    return refusal_of(file + footer + "\x57\xfb\x80\x8b\x24\x75\x47\xdb");
  };
  CHECK(says(with_index("\x80"), "index block: expected the place of a block"));
  CHECK(says(with_index(varint(0) + varint(8) + "x"), "index block: expected the place of a block"));
  CHECK(says(with_index(varint(1) + varint(8)), "expected a block at byte 0, found the next at byte 1"));
  CHECK(says(with_index(varint(0) + varint(1000)), "block at byte 0: expected it and its trailer within"));
  CHECK(says(refusal_of(good.substr(0, good.size() - 1) + "x"), "not a sorted table"));
  CHECK(says(refusal_of("padding" + good), "expected check sum 0x"));
  CHECK(says(refusal_of(table({})), "expected the header of a checkpoint, found none"));
}

TEST_CASE("headers that do not fit are refused") {
  const auto with = [](const std::string& head) {
    return refusal_of(index({{"w", tensor_entry{}.text()}}, head));
  };
  CHECK(with(header(1, 1)) == "expected little-endian numbers, found big-endian ones");
  CHECK(with(header(1, 7)) == "expected little-endian numbers (0), found 7");
  CHECK(with(header(1, 0, 2)) == "expected a checkpoint for readers of version 1, found one for version 2");
  CHECK(with(header(0)) == "expected at least one shard, found 0");
  CHECK(with(header(-1)) == "expected at least one shard, found -1");
  CHECK(with(header(2147483647)) == "bad: expected 2147483647 shards, found 1");
  CHECK(says(with("\x08"), "header: expected a protocol buffer message, found a damaged one"));
  CHECK(refusal_of(table({{block({{"w", tensor_entry{}.text()}}), "x", 0}})) ==
        "expected a header before the tensors, found none");
  const scratch here;
  here.file("a.index", index({{"w", tensor_entry{.shard = 2147483646}.text()}}, header(2147483647)));
  CHECK(says(message_of<std::runtime_error>([&] { atrous::read_checkpoint(here.folder / "a"); }),
             "a.data-2147483646-of-2147483647: cannot be opened"));
}

TEST_CASE("tensors that do not fit are refused") {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  CHECK(refusal_of(tensor_entry{.dtype = 0}) == "tensor \"w\": expected a known dtype, found 0");
  CHECK(refusal_of(tensor_entry{.dtype = 101}) == "tensor \"w\": expected a known dtype, found 101");
  CHECK(refusal_of(tensor_entry{.dtype = 20}) ==
        "tensor \"w\": expected numbers or text, found dtype resource");
  CHECK(refusal_of(tensor_entry{.shape = {2}}) == "tensor \"w\": float 2: expected 8 bytes, found 4");
  CHECK(refusal_of(tensor_entry{.shape = {-1}}) ==
        "tensor \"w\": expected a shape that fits into memory, found float -1");
  CHECK(says(refusal_of(tensor_entry{.shape = {most, most}}), "expected a shape that fits into memory"));
  CHECK(
      says(refusal_of(tensor_entry{.dtype = 9, .shape = {most}}), "expected a shape that fits into memory"));
  CHECK(says(refusal_of(tensor_entry{.shape = std::vector<std::int64_t>(65, 1)}),
             "expected at most 64 extents, found 65"));
  CHECK(refusal_of(tensor_entry{.shard = 1}) == "tensor \"w\": expected one of 1 shards, found shard 1");
  CHECK(refusal_of(tensor_entry{.shard = -1}) == "tensor \"w\": expected one of 1 shards, found shard -1");
  CHECK(says(refusal_of(tensor_entry{.offset = -4}), "expected an offset and a size from 0, found -4 and 4"));
  CHECK(says(refusal_of(tensor_entry{.size = -4}), "expected an offset and a size from 0, found 0 and -4"));
  for (const std::int64_t offset : {std::int64_t{5}, std::int64_t{9}, most})
    CHECK(says(refusal_of(tensor_entry{.offset = offset}),
               "tensor \"w\": expected 4 bytes from byte " + std::to_string(offset)));
  CHECK(says(refusal_of(index({{"w", "\x0a"}})), "tensor \"w\": expected a protocol buffer message"));
  std::string open = tensor_entry{}.text();
  protozero::pbf_writer(open).add_message(2, std::string("\x18\x01"));
  CHECK(refusal_of(index({{"w", open}})) == "tensor \"w\": expected a shape, found one of unknown rank");
  const std::string slice("\0\1w", 3);
  CHECK(says(refusal_of(index({{slice, tensor_entry{}.text()}})), "expected every variable whole"));
  CHECK(says(refusal_of(index({{"a", tensor_entry{.sum = check_sum(std::string(4, '\0'))}.text()},
                               {"b", tensor_entry{.offset = 3}.text()}})),
             "tensor \"b\": expected bytes of its own, found an overlap with tensor \"a\""));
  CHECK(says(refusal_of(index({{"a\n\x1b[2J", tensor_entry{.dtype = 99}.text()}})),
             "tensor \"a\\x0a\\x1b[2J\": "));
}

TEST_CASE("text that does not fit is found where all is checked") {
  const auto text = [](const std::string& data, std::int64_t elements) {
    return refusal_of(
        index({{"t",
                tensor_entry{.dtype = 7, .shape = {elements}, .size = static_cast<std::int64_t>(data.size())}
                    .text()}}),
        data);
  };
  for (const std::string& data :
       {std::string("\1\0\0\0\0x", 6), std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 10),
        std::string("\x80\x80", 2), std::string("x")}) {
    for (const std::int64_t elements : {std::int64_t{0}, std::int64_t{1}, std::int64_t{1} << 62})
      CHECK(says(text(data, elements), "tensor \"t\": expected check sum 0x00000000, found none"));
  }
}
