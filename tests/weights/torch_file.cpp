// SPDX-License-Identifier: MIT
// PyTorch files: those that PyTorch wrote are read as it reads them, others are refused in one line.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include <atrous/weights/safetensors.hpp>
#include <atrous/weights/torch/torch_file.hpp>

#include "../support/scratch.hpp"
#include "../support/shared.hpp"
#include "../support/torch_files.hpp"

namespace {

using namespace std::string_literals;
using namespace torch_files;
using atrous::read_torch;
using atrous::stored_tensor;
using atrous::tensor_set;

constexpr const char* containers = "parity/torch/containers";
constexpr const char* no_state_dict = "bad.pth: expected a state dict, a dictionary of tensors, found ";

std::string refusal(const std::string& file) {
  const auto message = message_of<std::runtime_error>([&] { read_torch(bytes_of(file), "bad.pth"); });
  CAPTURE(message);
  CHECK(message.starts_with("bad.pth: "));
  CHECK(is_plain_line(message));
  CHECK(message.size() < 600);
  return message;
}

// What is said about a tensor "w" with these opcodes.
std::string refusal_of(const std::string& opcodes) {
  const auto message = refusal(file(dictionary({{"w", opcodes}})));
  const std::string begin = "bad.pth: tensor \"w\": ";
  CHECK(message.starts_with(begin));
  return message.substr(std::min(message.size(), begin.size()));
}

// Names and metadata of a set, in one line.
std::string summary(const std::string& file) {
  const tensor_set set = read_torch(bytes_of(file), "good.pth");
  std::string text;
  for (const auto& tensor : set.tensors) text += tensor.name + " ";
  for (const auto& [key, value] : set.metadata) text += key + "=" + value + " ";
  return text;
}

std::string four() { return tensor(storage(4), {2, 2}, {2, 1}); }

std::string hash_of(const stored_tensor& tensor) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::byte byte : row_major_bytes(tensor)) {
    hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3;
  }
  std::ostringstream out;
  out << std::hex;
  out.width(16);
  out.fill('0');
  out << hash;
  return out.str();
}

// One tensor of contents.tsv.
struct listed {
  std::string name, type, shape, hash;
};

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream text(line + "\t");
  for (std::string field; std::getline(text, field, '\t');) fields.push_back(field);
  return fields;
}

// What contents.tsv lists under `place` of each file, without the prefix that is taken off.
std::map<std::string, std::vector<listed>> contents(const std::filesystem::path& folder) {
  const std::map<std::string, std::string> types{
      {"float32", "F32"}, {"float64", "F64"}, {"float16", "F16"}, {"bfloat16", "BF16"}, {"int64", "I64"},
      {"int32", "I32"},   {"int16", "I16"},   {"int8", "I8"},     {"uint8", "U8"},      {"bool", "BOOL"}};
  const std::map<std::string, std::string> places{{"checkpoint.dataparallel.pth.tar", "state_dict/module."},
                                                  {"checkpoint.legacy.pth.tar", "state_dict/"},
                                                  {"checkpoint.model_state.pth", "model_state/"},
                                                  {"checkpoint.meta.pth", "state_dict/"},
                                                  {"checkpoint.mmengine.pth", "state_dict/"},
                                                  {"checkpoint.lightning.ckpt", "state_dict/model."}};
  std::map<std::string, std::vector<listed>> out;
  std::ifstream lines(folder / "contents.tsv");
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const auto fields = fields_of(line);
    REQUIRE(fields.size() == 6);
    const auto place = places.find(fields[0]);
    const std::string prefix = place != places.end() ? place->second : "";
    if (!fields[1].starts_with(prefix)) continue;
    out[fields[0]].push_back({fields[1].substr(prefix.size()), types.at(fields[2]), fields[3], fields[5]});
  }
  return out;
}

}  // namespace

TEST_CASE("files of PyTorch hold what PyTorch reads") {
  const auto folder = shared(containers);
  if (!folder) return;
  int files = 0;
  for (const auto& entry : contents(*folder)) {
    const auto& [file_name, tensors] = entry;
    const std::string name = file_name;
    if (name.ends_with(".safetensors") || name == "whole_module.pth") continue;
    CAPTURE(name);
    ++files;
    const tensor_set set = read_torch(*folder / name);
    CHECK(set.source == (*folder / name).string());
    CHECK(set.container == (says(name, "legacy") ? "PyTorch legacy pickle" : "PyTorch zip"));
    CHECK(set.keep != nullptr);
    CHECK(set.tensors.size() == tensors.size());
    for (const auto& expected : tensors) {
      CAPTURE(expected.name);
      const stored_tensor* found = set.find(expected.name);
      REQUIRE(found != nullptr);
      CHECK(name_of(found->type) == expected.type);
      CHECK((found->shape.empty() ? "" : atrous::text_of(found->shape)) == expected.shape);
      CHECK(hash_of(*found) == expected.hash);
    }
  }
  CHECK(files == 16);
}

TEST_CASE("where weights were found is told") {
  const auto folder = shared(containers);
  if (!folder) return;
  const auto about = [&](const char* name) { return read_torch(*folder / name).metadata; };
  using metadata = std::map<std::string, std::string>;
  CHECK(about("state_dict.pth") == metadata{});
  CHECK(about("checkpoint.model_state.pth") == metadata{{"state dict", "model_state"}});
  CHECK(about("checkpoint.dataparallel.pth.tar") ==
        metadata{{"state dict", "state_dict"}, {"prefix", "module."}});
  CHECK(about("checkpoint.lightning.ckpt") == metadata{{"state dict", "state_dict"}, {"prefix", "model."}});
  for (const char* name : {"checkpoint.meta.pth", "checkpoint.mmengine.pth"}) {
    CHECK(about(name) ==
          metadata{{"state dict", "state_dict"},
                   {"class_names", R"(["road","sidewalk","building","sky","car"])"},
                   {"palette", "[[128,64,128],[244,35,232],[70,70,70],[70,130,180],[0,0,142]]"}});
  }
}

TEST_CASE("names and colours of classes are read where they are what they should be") {
  const auto told = [](const std::vector<std::pair<std::string, std::string>>& meta) {
    return summary(
        file(dictionary({{"meta", dictionary(meta)}, {"state_dict", dictionary({{"w", four()}})}})));
  };
  const std::string plain = "w state dict=state_dict ";
  const auto list = [](const std::string& items) { return "](" + items + "e"; };
  CHECK(told({{"CLASSES", "(" + text("a") + text("b\xff") + "t"}, {"PALETTE", list(tuple({1, 2, 3}))}}) ==
        "w class_names=[\"a\",\"b\xef\xbf\xbd\"] palette=[[1,2,3]] state dict=state_dict ");
  CHECK(told({{"dataset_meta", "N"}, {"CLASSES", list(text("a"))}}) ==
        "w class_names=[\"a\"] state dict=state_dict ");
  CHECK(told({{"dataset_meta", dictionary({{"classes", list(text("b"))}})}, {"CLASSES", list(text("a"))}}) ==
        "w class_names=[\"b\"] state dict=state_dict ");
  CHECK(told({{"CLASSES", "N"}, {"PALETTE", "N"}}) == plain);
  CHECK(told({{"CLASSES", "]"}, {"PALETTE", "]"}}) == plain);
  CHECK(told({{"CLASSES", list("K\1")}, {"PALETTE", list("K\1")}}) == plain);
  CHECK(told({{"CLASSES", list(text(std::string(201, 'a')))}}) == plain);
  CHECK(told({{"CLASSES", dictionary({{"a", "K\1"}})}, {"PALETTE", dictionary({{"a", "K\1"}})}}) == plain);
  for (const auto& colour : {tuple({1, 2}), tuple({1, 2, 256}), tuple({-1, 2, 3})})
    CHECK(told({{"PALETTE", list(colour)}}) == plain);
  CHECK(summary(file(dictionary({{"meta", "N"}, {"state_dict", dictionary({{"w", four()}})}}))) == plain);
}

TEST_CASE("tensors come through parameters and classes derived from them") {
  const std::string hooks = global("collections", "OrderedDict") + ")R";
  const auto parameter = [&](const std::string& function, const std::string& state) {
    return file(
        dictionary({{"w", global("torch._utils", function) + "(" + four() + "\x88" + hooks + state + "tR"}}));
  };
  CHECK(summary(parameter("_rebuild_parameter", "")) == "w ");
  CHECK(summary(parameter("_rebuild_parameter_with_state", "}")) == "w ");
  const auto derived = [&](const std::string& function, const std::string& arguments) {
    return file(dictionary({{"w", global("torch._tensor", "_rebuild_from_type_v2") + "(" + function +
                                      global("my.tensors", "Named") + arguments + "}tR"}}));
  };
  const std::string parts =
      "(" + storage(4) + number(0) + tuple({2, 2}) + tuple({2, 1}) + "\x89" + hooks + "t";
  CHECK(summary(derived(global("torch._utils", "_rebuild_tensor_v2"), parts)) == "w ");
  CHECK(summary(derived(global("torch._utils", "_rebuild_parameter"), "(" + four() + "\x88" + hooks + "t")) ==
        "w ");
  CHECK(says(refusal(derived(global("posix", "system"), "(" + text("touch executed") + "t")),
             "an object of torch._tensor._rebuild_from_type_v2"));
}

TEST_CASE("windows, transposes and expansions are read and written as their values") {
  const auto folder = shared(containers);
  if (!folder) return;
  const tensor_set expected = atrous::read_safetensors(*folder / "tensors.safetensors");
  const scratch here;
  for (const char* name : {"tensors.pth", "tensors.legacy.pth"}) {
    const tensor_set set = read_torch(*folder / name);
    atrous::write_safetensors(here.folder / "written", set.tensors);
    const tensor_set written = atrous::read_safetensors(here.folder / "written");
    REQUIRE(set.tensors.size() == expected.tensors.size());
    REQUIRE(written.tensors.size() == expected.tensors.size());
    for (const stored_tensor& tensor : expected.tensors) {
      CAPTURE(tensor.name);
      const stored_tensor* found = set.find(tensor.name);
      REQUIRE(found != nullptr);
      CHECK(row_major_bytes(*found) == row_major_bytes(tensor));
      CHECK(row_major_bytes(*written.find(tensor.name)) == row_major_bytes(tensor));
      std::vector<float> floats(tensor.elements()), values(tensor.elements());
      read_floats(*found, floats);
      read_floats(tensor, values);
      CHECK(
          std::ranges::equal(std::as_bytes(std::span(floats)), std::as_bytes(std::span(values))));  // NaN too
    }
  }
  const tensor_set set = read_torch(*folder / "tensors.pth");
  CHECK(set.find("channels_last")->strides == std::vector<std::int64_t>{27, 1, 9, 3});
  CHECK(set.find("expanded")->bytes.size() == 8);
  CHECK(set.find("contiguous")->strides.empty());
}

TEST_CASE("two names share one storage") {
  const auto folder = shared(containers);
  if (!folder) return;
  const tensor_set set = read_torch(*folder / "aliases.pth");
  CHECK(set.find("features.0.weight")->bytes.data() == set.find("low_level_features.0.weight")->bytes.data());
}

TEST_CASE("the state dict is the root or under the first usual key that has one") {
  CHECK(summary(file(dictionary({{"w", four()}}))) == "w ");
  for (const std::string_view key : atrous::pytorch::state_dict_keys) {
    CHECK(summary(file(dictionary({{"epoch", "K\3"}, {std::string(key), dictionary({{"w", four()}})}}))) ==
          "w state dict=" + std::string(key) + " ");
  }
  CHECK(summary(file(dictionary({{"ema", dictionary({{"v", four()}})},
                                 {"model", dictionary({{"w", four()}})}}))) == "w state dict=model ");
  CHECK(summary(file(dictionary({{"model", dictionary({{"state_dict", dictionary({{"w", four()}})}})}}))) ==
        "w state dict=model/state_dict ");
  CHECK(summary(file(dictionary({{"model", opaque()}, {"net", dictionary({{"w", four()}})}}))) ==
        "w state dict=net ");
  CHECK(summary(file(dictionary({{"best", four()}, {"model", dictionary({{"w", four()}})}}))) ==
        "w state dict=model ");
}

TEST_CASE("prefixes go where all names have them") {
  const auto named = [](const std::string& a, const std::string& b) {
    return summary(file(dictionary({{a, four()}, {b, four()}})));
  };
  CHECK(named("module.a", "module.b") == "a b prefix=module. ");
  CHECK(named("module.a", "b") == "b module.a ");
  CHECK(named("model.module.a", "model.module.b") == "a b prefix=model.module. ");
  CHECK(named("module._orig_mod.a.w", "module._orig_mod.b") == "a.w b prefix=module._orig_mod. ");
  CHECK(named("net.net.a", "net.b") == "b net.a prefix=net. ");
  CHECK(named("module.", "module.b") == "module. module.b ");  // a name is left of each
  std::string deep;
  for (int i = 0; i < 1'000; ++i) deep += "net.";
  CHECK(read_torch(bytes_of(file(dictionary({{deep + "w", four()}}))), "deep").find("w") != nullptr);
  deep += deep;
  CHECK(refusal(file(dictionary({{deep + "w", four()}}))).find("at most 4096 bytes, found 8001") !=
        std::string::npos);
}

TEST_CASE("keys of storages are short") {
  const auto keyed = [](std::size_t length) {
    return file(dictionary({{"w", tensor(storage(4, std::string(length, 'k')), {2, 2}, {2, 1})}}));
  };
  CHECK(refusal(keyed(5000)).find("expected a key of at most 4096 bytes, found 5000") != std::string::npos);
  CHECK(refusal(keyed(100)).find("4096") == std::string::npos);
}

TEST_CASE("plain values beside tensors are left out, opaque ones are named") {
  CHECK(summary(file(dictionary({{"w", four()}, {"n", "N"}, {"i", "K\1"}, {"l", "]"}, {"t", text("x")}}))) ==
        "w ");
  CHECK(summary(file(dictionary({{"state_dict", dictionary({{"w", four()}})}, {"epoch", opaque()}}))) ==
        "w state dict=state_dict ");
  CHECK(summary(file(dictionary({{"w", "N"}, {"w", four()}}))) == "w ");
  CHECK(summary(file(dictionary({{"w", four()}, {"v", four()}, {"v", "N"}}))) == "w ");
  CHECK(refusal(file(dictionary({{"w", four()}, {"v", opaque()}}))) ==
        "bad.pth: tensor \"v\": expected a tensor, found an object of posix.system");
  CHECK(refusal(file(dictionary({{"", four()}}))) ==
        "bad.pth: tensor \"\": expected a name, found an empty one");
}

TEST_CASE("what has no state dict is told for what it is") {
  const auto found = [](const std::string& opcodes) {
    const auto message = refusal(file(opcodes));
    CHECK(message.starts_with(no_state_dict));
    return message.substr(std::string(no_state_dict).size());
  };
  CHECK(found("]") == "a list");
  CHECK(found("}") == "an empty dictionary");
  CHECK(found(four()) == "a tensor");
  CHECK(found(dictionary({{"epoch", "K\1"}, {"model", text("resnet")}})) ==
        "a dictionary of \"epoch\" (an integer), \"model\" (text)");
  const std::string module = global("torch.nn", "Linear") + ")\x81}b",
                    advice = ": if that is a whole module, save model.state_dict() instead";
  CHECK(found(module) == "an object of torch.nn.Linear" + advice);
  CHECK(found(dictionary({{"model", module}})) == "under \"model\" an object of torch.nn.Linear" + advice);
  CHECK(
      found(dictionary(
          {{"state_dict", dictionary({{"w", tensor(storage(2, "0", "ComplexFloatStorage"), {2}, {1})}})}})) ==
      "under \"state_dict\" a dictionary of \"w\" (an object of torch.ComplexFloatStorage)");
  CHECK(found(dictionary({{"1", "N"}, {"2", "N"}, {"3", "N"}, {"4", "N"}, {"5", "N"}, {"6", "N"}}))
            .ends_with("\"5\" (None), ..."));
  const auto folder = shared(containers);
  if (!folder) return;
  CHECK(says(message_of<std::runtime_error>([&] { read_torch(*folder / "whole_module.pth"); }),
             "Sequential: if that is a whole module, save model.state_dict() instead"));
}

TEST_CASE("tensors stay within their storage") {
  const auto about = [](const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides,
                        std::int64_t offset = 0) {
    return refusal_of(tensor(storage(4), shape, strides, offset));
  };
  CHECK(about({2, 3}, {3, 1}) ==
        "expected it within its storage of 4 elements, found 2x3 with strides 3x1 from element 0");
  CHECK(says(about({2, 2}, {2, 1}, 1), "from element 1"));
  CHECK(says(about({2, 2}, {INT64_MAX, INT64_MAX}), "within its storage"));
  CHECK(says(about({0}, {1}, 5), "within its storage"));
  CHECK(says(about({2, 2}, {1}), "expected a stride for each of 2 extents, found 1"));
  CHECK(says(about({2, 2}, {-2, 1}), "as strides, found -2"));
  CHECK(says(about({-2, -2}, {2, 1}), "as shape, found -2"));
  CHECK(says(about({2, 2}, {2, 1}, -1), "as offset, found -1"));
  CHECK(about({std::int64_t{1} << 31, std::int64_t{1} << 31}, {0, 0}) ==
        "expected a shape that fits into memory, found 2147483648x2147483648");
  CHECK(says(about({1'000'000}, {0}), "expected tensors of at most 16 times the "));
  CHECK(says(about(std::vector<std::int64_t>(65, 1), std::vector<std::int64_t>(65, 1)),
             "at most 64 extents, found 65"));
  CHECK(summary(file(dictionary({{"w", tensor(storage(4), {0, 7}, {7, 1}, 4)}}))) == "w ");
  std::vector<std::pair<std::string, std::string>> many;  // each of 128 bytes
  for (int i = 0; i < 1000; ++i) many.emplace_back(std::to_string(i), "h\0"s);
  CHECK(says(refusal(file(tensor(storage(4), {500}, {0}) + "q\0"s + dictionary(many))), "times the"));
}

TEST_CASE("records are those that the pickle names") {
  const std::string good = pickle(dictionary({{"w", four()}})), data(16, '\0');
  CHECK(summary(zip({{"a/data.pkl", good}, {"a/data/0", data}})) == "w ");
  CHECK(summary(zip({{"a/data.pkl", good}, {"a/data/0", data}, {"a/byteorder", "little"}}, true)) == "w ");
  CHECK(refusal(zip({{"a/data.pkl", good}, {"a/data/0", data}, {"a/byteorder", "big"}})) ==
        "bad.pth: expected byte order little, found \"big\"");
  CHECK(refusal(zip({{"a/data.pkl", good}})) ==
        "bad.pth: storage \"0\": expected 4 elements of F32, found no record data/0");
  CHECK(refusal(zip({{"a/data.pkl", good}, {"a/data/0", "1234567"}})) ==
        "bad.pth: storage \"0\": expected 4 elements of F32, found 7 bytes");
  CHECK(says(refusal(zip({{"data.pkl", good}})),
             "expected a record */data.pkl, as in every zip of PyTorch, found none in 1 records"));
  CHECK(says(refusal(zip({{"a/data.pkl", good}, {"b/data.pkl", good}})), "found two"));
  CHECK(says(refusal(zip({{"a/data.pkl", good}, {"a/data.pkl", good}})),
             "record \"a/data.pkl\": expected it once, found it twice"));
  CHECK(says(refusal(zip({{"a/data.pkl", good}, {"a/code/x.py", ""}})), "a TorchScript archive"));
  CHECK(says(refusal(zip({{"a/constants.pkl", good}})), "a TorchScript archive"));
  CHECK(says(refusal(zip({})), "a zip or a pickle, found one that begins with \"PK\\x05\\x06"));
  CHECK(says(refusal("nothing of the kind"),
             "expected a PyTorch file, a zip or a pickle, found one that begins with \"nothing \""));
}

TEST_CASE("the legacy container is checked part by part") {
  const std::string object = dictionary({{"w", four()}}), data(16, '\0');
  CHECK(summary(legacy(object, {{"0", 4, data}})) == "w ");
  CHECK(refusal(pickle("}")) ==
        "bad.pth: expected PyTorch's magic number, found a dictionary: a pickle of something else");
  CHECK(says(refusal(legacy(object, {})), "expected storage \"0\" in the file, found none"));
  CHECK(says(refusal(legacy(object, {{"0", 4, data}, {"0", 4, data}})), "each once, found another"));
  CHECK(says(refusal(legacy(object, {{"1", 4, data}})), "found another"));
  CHECK(says(refusal(legacy(object, {{"0", 5, data}})), "storage \"0\": expected 4 elements, found 5"));
  CHECK(says(refusal(legacy(object, {{"0", 4, data.substr(1)}})),
             "expected 4 elements of F32, found 15 bytes"));
  CHECK(says(refusal(legacy(dictionary({{"w", tensor(storage(2, "0", "ComplexFloatStorage"), {2}, {1})}}),
                            {{"0", 2, data}})),
             "expected a known type, found torch.ComplexFloatStorage"));
  const std::string huge = dictionary({{"w", tensor(storage(INT64_MAX), {2}, {1})}});
  CHECK(says(refusal(legacy(huge, {{"0", INT64_MAX, data}})), "found 16 bytes"));
}

TEST_CASE("the recorded hostile files are refused") {
  const auto folder = shared("parity/torch/hostile");
  if (!folder) return;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
    const auto path = entry.path();
    if (path.extension() != ".pth") continue;
    CAPTURE(path.string());
    ++files;
    if (path.filename() == "reduce_beside_tensors.pth") {
      CHECK(read_torch(path).find("w")->shape == std::vector<std::int64_t>{2, 2});
      continue;
    }
    const auto message = message_of<std::runtime_error>([&] { read_torch(path); });
    CHECK(message.starts_with(path.string() + ": "));
    CHECK(is_plain_line(message));
  }
  CHECK(files >= 26);
  CHECK_FALSE(std::filesystem::exists("atrous_was_executed"));
}

TEST_CASE("every cut of a good file is refused") {
  const auto folder = shared(containers);
  if (!folder) return;
  for (const auto& entry : contents(*folder)) {
    const auto& [file_name, tensors] = entry;
    const std::string name = file_name;
    if (name.ends_with(".safetensors") || name == "whole_module.pth") continue;
    CAPTURE(name);
    const std::string good = contents_of(*folder / name);
    for (std::size_t size = 0; size < good.size(); ++size) {
      const auto message =
          message_of<std::runtime_error>([&] { read_torch(bytes_of(good).first(size), "bad.pth"); });
      if (!message.starts_with("bad.pth: ") || !is_plain_line(message))
        FAIL_CHECK(size << " bytes: " << message);
    }
  }
}

TEST_CASE("changed bytes give tensors or one line") {
  const auto folder = shared(containers);
  if (!folder) return;
  for (const char* name : {"tensors.pth", "tensors.legacy.pth", "checkpoint.mmengine.pth"}) {
    const std::string good = contents_of(*folder / name);
    std::uint32_t random = 1;
    for (int change = 0; change < 5000; ++change) {
      std::string bad = good;
      for (int k = 0; k < 3; ++k) {
        random = random * 1664525U + 1013904223U;
        bad[random / 256 % bad.size()] = static_cast<char>(random >> 24);
      }
      try {
        for (const auto& tensor : read_torch(bytes_of(bad), "bad.pth").tensors) row_major_bytes(tensor);
      } catch (const std::runtime_error& error) {
        if (!is_plain_line(error.what())) FAIL_CHECK(error.what());
      }
    }
  }
}

TEST_CASE("a hundred thousand tensors are read in bounded time") {
  std::vector<std::pair<std::string, std::string>> pairs;
  std::vector<record> records{{"a/data.pkl", ""}};
  for (int i = 0; i < 100'000; ++i) {
    const std::string key = std::to_string(i);
    pairs.emplace_back("layer" + key, tensor(storage(1, key), {1}, {1}));
    records.push_back({"a/data/" + key, std::string(4, '\1')});
  }
  records[0].contents = pickle(dictionary(pairs));
  const std::string large = zip(records, true);
  CHECK(read_torch(bytes_of(large), "large").tensors.size() == 100'000);
  // Dictionaries below dictionaries under every known key, all of them the same large one.
  std::string pickled = "}q\0("s;
  for (int i = 0; i < 100'000; ++i) pickled += text(std::to_string(i)) + "N";
  for (const std::string_view key : atrous::pytorch::state_dict_keys) pickled += text(key) + "h\0"s;
  CHECK(says(refusal(file(pickled + "u")), no_state_dict));
}
