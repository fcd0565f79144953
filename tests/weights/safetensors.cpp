// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <atrous/weights/safetensors.hpp>

#include "../support/cuts.hpp"
#include "../support/scratch.hpp"
#include "../support/shared.hpp"

namespace {

using atrous::element_type;

std::string packed(const std::string& header, const std::string& data, std::uint64_t length) {
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  return out + header + data;
}

std::string packed(const std::string& header, const std::string& data = std::string(16, '\0')) {
  return packed(header, data, header.size());
}

// An entry of 2 x 2 float32 unless told otherwise.
std::string entry(const std::string& name, const std::string& range, const std::string& shape = "[2,2]",
                  const std::string& type = "F32") {
  return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape + ",\"data_offsets\":" + range +
         "}";
}

// The error that reading these bytes gives, which must be one plain line that names the file.
std::string refusal(const std::string& file) {
  const auto message =
      message_of<std::runtime_error>([&] { atrous::read_safetensors(bytes_of(file), "bad.st"); });
  CAPTURE(message);
  CHECK(message.starts_with("bad.st: "));
  CHECK(is_plain_line(message));
  CHECK(message.size() < 600);
  return message;
}

// The same for a header in braces; what it says after the file's name.
std::string refusal_of(const std::string& entries, const std::string& data = std::string(16, '\0')) {
  return refusal(packed("{" + entries + "}", data)).substr(std::strlen("bad.st: "));
}

}  // namespace

TEST_CASE("what is written is read back") {
  const scratch here;
  const std::array<float, 6> kernel{1, 2, 3, 4, 5, 6};
  const std::array<std::int64_t, 1> step{-7};
  const std::array<std::uint8_t, 3> odd{9, 8, 7};
  const std::vector<atrous::stored_tensor> tensors{
      {"z/weights", element_type::f32, {2, 3}, std::as_bytes(std::span(kernel))},
      {"global_step", element_type::i64, {}, std::as_bytes(std::span(step))},
      {"\"quoted\"\n\xc3\xa9", element_type::u8, {3}, std::as_bytes(std::span(odd))},
      {"empty", element_type::bf16, {0, 4}, {}}};
  const std::map<std::string, std::string> metadata{{"classes", "21"}, {"names", "a\tb"}};
  atrous::write_safetensors(here.folder / "file.safetensors", tensors, metadata);
  const auto set = atrous::read_safetensors(here.folder / "file.safetensors");
  CHECK(set.source == (here.folder / "file.safetensors").string());
  CHECK(set.metadata == metadata);
  REQUIRE(set.tensors.size() == tensors.size());
  for (const auto& expected : tensors) {
    const auto* found = set.find(expected.name);
    REQUIRE(found != nullptr);
    CHECK(found->type == expected.type);
    CHECK(found->shape == expected.shape);
    CHECK(std::equal(found->bytes.begin(), found->bytes.end(), expected.bytes.begin(), expected.bytes.end()));
  }
  const auto text = contents_of(here.folder / "file.safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, text.data(), 8);
  CHECK(length % 8 == 0);
  CHECK(text.size() == 8 + length + 24 + 8 + 3);
  // aligned for those who map the file: the mapping begins on a page
  for (const auto& tensor : set.tensors)
    CHECK(reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % size_of(tensor.type) == 0);
}

TEST_CASE("a file without tensors is a file") {
  const scratch here;
  atrous::write_safetensors(here.folder / "none", {});
  CHECK(atrous::read_safetensors(here.folder / "none").tensors.empty());
  CHECK(atrous::read_safetensors(bytes_of(packed("{}  ", "")), "none").tensors.empty());
}

TEST_CASE("a file is replaced whole or not at all") {
  const scratch here;
  const auto path = here.file("file", "old");
  ::chmod(path.c_str(), 0640);
  const std::vector<atrous::stored_tensor> wrong{{"w", element_type::f32, {2}, {}}};
  CHECK(message_of<std::invalid_argument>([&] { atrous::write_safetensors(path, wrong); }) ==
        "tensor \"w\", 2: expected 8 bytes, found 0");
  const std::vector<atrous::stored_tensor> twice{{"w", element_type::f32, {0}, {}},
                                                 {"w", element_type::f32, {0}, {}}};
  CHECK_THROWS_AS(atrous::write_safetensors(path, twice), std::invalid_argument);
  const std::vector<atrous::stored_tensor> metadata{{"__metadata__", element_type::f32, {0}, {}}};
  CHECK_THROWS_AS(atrous::write_safetensors(path, metadata), std::invalid_argument);
  const std::vector<atrous::stored_tensor> latin{{"\xe9", element_type::f32, {0}, {}}};
  CHECK_THROWS_AS(atrous::write_safetensors(path, latin), std::invalid_argument);
  CHECK(contents_of(path) == "old");
  {
    atrous::replaced_file unfinished(path);
    unfinished.write(bytes_of("half"));
  }
  CHECK(contents_of(path) == "old");
  std::filesystem::create_symlink(path, here.folder / "link");
  atrous::write_safetensors(here.folder / "link", {});
  CHECK(std::filesystem::is_symlink(here.folder / "link"));
  CHECK(contents_of(path) == packed("{}      ", ""));
  CHECK(std::filesystem::status(path).permissions() == std::filesystem::perms(0640));
  CHECK(std::distance(std::filesystem::directory_iterator(here.folder), {}) == 2);
}

TEST_CASE("where nothing can be read or written the reason is told") {
  const scratch here;
  const auto read = [](const std::filesystem::path& path) {
    return message_of<std::runtime_error>([&] { atrous::read_safetensors(path); });
  };
  CHECK(read("absent.safetensors") == "absent.safetensors: cannot be opened: No such file or directory");
  CHECK(read(here.file("empty", "")) ==
        (here.folder / "empty").string() + ": expected a file with contents, found an empty one");
  CHECK(says(read(here.folder), "expected a regular file, found a folder"));
  REQUIRE(::mkfifo((here.folder / "pipe").c_str(), 0600) == 0);
  CHECK(says(read(here.folder / "pipe"), "expected a regular file"));
  CHECK(message_of<std::runtime_error>([] { atrous::write_safetensors("/nowhere/at/all", {}); }) ==
        "/nowhere/at/all: cannot be written: No such file or directory");
  CHECK_THROWS_AS(atrous::write_safetensors(here.folder, {}), std::runtime_error);
  atrous::write_safetensors("/dev/null", {});
  CHECK(std::filesystem::is_character_file("/dev/null"));
}

TEST_CASE("a damaged beginning is refused") {
  CHECK(says(refusal(""), "expected 8 bytes of header length, found 0"));
  CHECK(says(refusal("1234567"), "found 7"));
  CHECK(says(refusal(std::string(8, '\0')), "begins with {, found \"\""));
  CHECK(says(refusal(packed("{}", "", std::uint64_t{1} << 63)),
             "at most 100000000 bytes, found 9223372036854775808"));
  CHECK(says(refusal(packed("{}", "", ~std::uint64_t{0})), "found 18446744073709551615"));
  CHECK(says(refusal(packed("{}", "", 100'000'000)), "expected a header of 100000000 bytes, found 2"));
  CHECK(says(refusal(packed("{}", "", 1000)), "expected a header of 1000 bytes, found 2"));
  CHECK(says(refusal(packed("[]")), "begins with {, found \"[]\""));
  CHECK(says(refusal(packed(" {}")), "begins with {"));
  CHECK(says(refusal(packed(std::string("{}\0x", 4))), "zero byte"));
  CHECK(says(refusal(packed("{{{{{{{{")), "JSON"));
  CHECK(says(refusal(packed("{" + entry("w", "[0,16]"))), "JSON"));
  CHECK(says(refusal(packed("{} {}")), "JSON"));
  CHECK(says(refusal(packed("{" + entry("\xff\n", "[0,16]") + "}")), "JSON"));
  CHECK(says(refusal(packed("{" + entry("w", "[0,1e999]") + "}")), "JSON"));
  CHECK(says(refusal(packed("{" + entry("w", "[0,NaN]") + "}")), "JSON"));
}

TEST_CASE("deep nesting neither recurses nor lasts") {
  refusal(packed(std::string(200'000, '[')));
  refusal(packed("{\"a\":" + std::string(200'000, '[')));
  refusal(packed("{\"a\":{\"shape\":" + std::string(200'000, '[')));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  refusal(packed(objects));
}

TEST_CASE("values of the wrong kind are refused") {
  CHECK(refusal_of("\"w\":null") == "tensor \"w\": expected an object, found null");
  CHECK(refusal_of("\"w\":[1]") == "tensor \"w\": expected an object, found an array");
  CHECK(refusal_of("\"w\":\"x\"") == "tensor \"w\": expected an object, found \"x\"");
  CHECK(refusal_of("\"w\":{}") == "tensor \"w\": expected dtype, shape, data_offsets, found no dtype");
  CHECK(refusal_of("\"w\":{\"dtype\":\"F32\",\"shape\":[]}") ==
        "tensor \"w\": expected dtype, shape, data_offsets, found no data_offsets");
  CHECK(refusal_of("\"w\":{\"dtype\":1}") == "tensor \"w\": expected text as dtype, found 1");
  CHECK(refusal_of("\"w\":{\"dtype\":[]}") == "tensor \"w\": expected text as dtype, found an array");
  CHECK(refusal_of("\"w\":{\"shape\":{}}") == "tensor \"w\": expected an array as shape, found an object");
  CHECK(refusal_of("\"w\":{\"data_offsets\":5}") ==
        "tensor \"w\": expected an array as data_offsets, found 5");
  CHECK(refusal_of("\"w\":{\"more\":5}") ==
        "tensor \"w\": expected dtype, shape, data_offsets, found \"more\"");
  CHECK(refusal_of(entry("w", "[0,16]", "[2,2]", "F33")) ==
        "tensor \"w\": expected a known dtype, found \"F33\"");
  CHECK(refusal_of("\"__metadata__\":{\"a\":1}") == "header: expected text in __metadata__, found 1");
  CHECK(refusal_of("\"__metadata__\":{\"a\":{}}") ==
        "header: expected text in __metadata__, found an object");
  CHECK(refusal_of("\"__metadata__\":[]") == "tensor \"__metadata__\": expected an object, found an array");
}

TEST_CASE("shapes that lie are refused") {
  const auto about = [](const std::string& shape) { return refusal_of(entry("w", "[0,16]", shape)); };
  const std::string whole =
      "tensor \"w\": expected extents that are whole numbers from 0 to 2^63 - 1, found ";
  CHECK(about("[-2,-2]") == whole + "-2");
  CHECK(about("[2.0,2]") == whole + "2.0");
  CHECK(about("[true]") == whole + "true or false");
  CHECK(about("[[2,2]]") == whole + "an array");
  CHECK(about("[9223372036854775808]") == whole + "9223372036854775808");
  CHECK(about("[18446744073709551616]") == whole + "18446744073709551616");
  CHECK(about("[4294967296,4294967296,4]") ==
        "tensor \"w\": expected a shape that fits into memory, found F32 4294967296x4294967296x4");
  CHECK(says(about("[4194305,4194305,211106198978564]"), "fits into memory"));
  CHECK(says(about("[9223372036854775807]"), "fits into memory"));
  CHECK(about("[2,3]") == "tensor \"w\": F32 2x3: expected 24 bytes, found 16");
  CHECK(about("[]") == "tensor \"w\": F32 scalar: expected 4 bytes, found 16");
  std::string many = "[1";
  for (int i = 0; i < 100; ++i) many += ",1";
  CHECK(about(many + "]") == "tensor \"w\": expected at most 64 extents, found more");
}

TEST_CASE("offsets that lie are refused") {
  const auto about = [](const std::string& range) { return refusal_of(entry("w", range)); };
  CHECK(about("[8,24]") == "tensor \"w\": expected data_offsets within the 16 bytes of data, found 8 to 24");
  CHECK(about("[16,0]") == "tensor \"w\": expected ascending data_offsets, found 16 to 0");
  CHECK(says(about("[1152921504606846976,1152921504606846980]"), "within the 16 bytes"));
  CHECK(says(about("[18446744073709551612,12]"), "ascending data_offsets, found 18446744073709551612 to 12"));
  CHECK(says(about("[0,18446744073709551615]"), "within the 16 bytes"));
  CHECK(says(about("[0,18446744073709551616]"), "found 18446744073709551616"));
  CHECK(says(about("[-4,100]"), "found -4"));
  CHECK(says(about("[0]"), "expected two data_offsets, found 1"));
  CHECK(says(about("[0,16,16]"), "found more"));
  CHECK(says(about("[0,16.0]"), "found 16.0"));
}

TEST_CASE("tensors lie one after the other") {
  const auto two = [](const std::string& a, const std::string& b) {
    return refusal_of(entry("v", a, "[2]") + "," + entry("w", b, "[2]"));
  };
  CHECK(two("[0,8]", "[4,12]") == "tensor \"w\": expected data from byte 8, found it from 4 (an overlap)");
  CHECK(says(two("[0,8]", "[0,8]"), "(an overlap)"));
  CHECK(refusal_of(entry("v", "[0,8]", "[2]") + "," + entry("w", "[12,16]", "[1]")) ==
        "tensor \"w\": expected data from byte 8, found it from 12 (a hole)");
  CHECK(refusal_of(entry("v", "[4,16]", "[3]")) ==
        "tensor \"v\": expected data from byte 0, found it from 4 (a hole)");
  CHECK(refusal_of(entry("v", "[0,8]", "[2]")) == "expected 8 bytes of data, found 16");
  CHECK(refusal_of("") == "expected 0 bytes of data, found 16");
  const auto any_order = packed("{" + entry("w", "[8,16]", "[2]") + "," + entry("e", "[8,8]", "[0]") + "," +
                                entry("v", "[0,8]", "[2]") + "}");
  CHECK(atrous::read_safetensors(bytes_of(any_order), "good").tensors.size() == 3);
}

TEST_CASE("names are there and come once") {
  CHECK(says(refusal_of(entry("", "[0,16]")), "found an empty one"));
  CHECK(refusal_of(entry("w", "[0,8]", "[2]") + "," + entry("w", "[8,16]", "[2]")) ==
        "tensor \"w\": expected each name once, found it twice");
  CHECK(refusal_of("\"w\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}") ==
        "tensor \"w\": expected dtype once, found it twice");
  CHECK(refusal_of("\"__metadata__\":{},\"__metadata__\":{}") ==
        "header: expected \"__metadata__\" once, found it twice");
  CHECK(refusal_of("\"__metadata__\":{\"a\":\"\",\"a\":\"\"}") ==
        "__metadata__: expected \"a\" once, found it twice");
}

TEST_CASE("a hostile name stays on its line") {
  CHECK(refusal_of(entry("a\\n\\u001b[2J\\u0000\\u202e", "[0,8]")) ==
        "tensor \"a\\x0a\\x1b[2J\\x00\\xe2\\x80\\xae\": F32 2x2: expected 16 bytes, found 8");
  refusal_of(entry(std::string(100'000, 'n'), "[0,8]"));
  refusal_of(entry("w", "[0,16]", "[2,2]", std::string(100'000, 'F')));
  CHECK(says(message_of<std::runtime_error>([] { atrous::read_safetensors(bytes_of("x"), "a\nb"); }),
             "a\\x0ab: "));
}

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_THREAD_SANITIZER
#endif
#endif
#if defined(UNDER_THREAD_SANITIZER)
constexpr int most_seconds = 120;  // it took 20
#else
constexpr int most_seconds = 20;
#endif

TEST_CASE("a million entries are read in bounded time and a gigabyte") {
  std::string header = "{" + entry("w", "[0,16]");
  for (int i = 0; i < 1'000'000; ++i) header += "," + entry("x" + std::to_string(i), "[0,0]", "[0]");
  const auto file = packed(header + "}");
  const auto most_memory = [] {
    rusage use{};
    ::getrusage(RUSAGE_SELF, &use);
    return use.ru_maxrss / 1024;  // MiB
  };
  const auto before = most_memory();
  const auto start = std::clock();
  const auto set = atrous::read_safetensors(bytes_of(file), "large");
  CHECK((std::clock() - start) / CLOCKS_PER_SEC < most_seconds);
  CHECK(most_memory() - before < 1024);
  CHECK(set.tensors.size() == 1'000'001);
  REQUIRE(set.find("x999999") != nullptr);
  CHECK(set.find("w")->bytes.size() == 16);
  const auto twice = packed(header + "," + entry("x500000", "[0,0]", "[0]") + "}");
  CHECK(says(refusal(twice), "tensor \"x500000\": expected each name once, found it twice"));
}

TEST_CASE("every cut of a good file is refused") {
  const std::string header = "{\"__metadata__\":{\"classes\":\"21\"}," + entry("v", "[0,8]", "[2]") + "," +
                             entry("w", "[8,4008]", "[1000]") + "}   ";
  const auto good = packed(header, std::string(4008, '\1'));
  CHECK(atrous::read_safetensors(bytes_of(good), "good").tensors.size() == 2);
  for (const std::size_t size : cuts(8 + header.size(), good.size())) refusal(good.substr(0, size));
}

TEST_CASE("the recorded hostile files are refused") {
  const auto folder = shared("parity/torch/hostile");
  if (!folder) return;
  int files = 0;
  for (const auto& file : std::filesystem::directory_iterator(*folder)) {
    if (file.path().extension() != ".safetensors") continue;
    ++files;
    CAPTURE(file.path().string());
    const auto message = message_of<std::runtime_error>([&] { atrous::read_safetensors(file.path()); });
    CHECK(message.starts_with(file.path().string() + ": "));
    CHECK(is_plain_line(message));
  }
  CHECK(files >= 13);
}

TEST_CASE("files written by others are read") {
  for (const char* name : {"models/deeplabv3_mobilenet_v2_pascal.safetensors", "parity/torch/containers",
                           "parity/tensorflow/train_xception_65.safetensors"}) {
    const auto path = shared(name);
    if (!path) continue;
    std::vector<std::filesystem::path> files{*path};
    if (std::filesystem::is_directory(*path)) {
      files.assign(std::filesystem::directory_iterator(*path), std::filesystem::directory_iterator());
    }
    for (const auto& file : files) {
      if (file.extension() != ".safetensors") continue;
      CAPTURE(file.string());
      const auto set = atrous::read_safetensors(file);
      CHECK(set.keep != nullptr);
      CHECK_FALSE(set.tensors.empty());
    }
  }
  if (const auto path = shared("models/deeplabv3_mobilenet_v2_pascal.safetensors")) {
    const auto set = atrous::read_safetensors(*path);
    CHECK(set.metadata.at("classes") == "21");
    const auto* beta = set.find("MobilenetV2/Conv/BatchNorm/beta");
    REQUIRE(beta != nullptr);
    CHECK(beta->shape == std::vector<std::int64_t>{32});
  }
}
