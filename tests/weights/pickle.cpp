// SPDX-License-Identifier: MIT
// The pickle machine: data out of opcodes, nothing executed, nothing unbounded.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include <atrous/weights/torch/pickle_machine.hpp>

#include "../support/scratch.hpp"
#include "../support/torch_files.hpp"

namespace {

using namespace std::string_literals;
using namespace atrous::pytorch;
using namespace torch_files;

pickled read(const std::string& bytes) { return read_pickle(bytes_of(bytes), "file.pth"); }

// What the root of this pickle is.
std::string kind(const std::string& opcodes) {
  const std::string bytes = pickle(opcodes);
  const pickled out = read(bytes);
  return out.description(out.root);
}

std::int64_t integer(const std::string& opcodes) {
  const std::string bytes = pickle(opcodes);
  const pickled out = read(bytes);
  const auto* found = out.as<pickle_integer>(out.root);
  REQUIRE(found != nullptr);
  return found->value;
}

std::string refusal(const std::string& bytes) {
  const auto message = message_of<std::runtime_error>([&] { read(bytes); });
  CAPTURE(message);
  CHECK(message.starts_with("file.pth: pickle, before byte "));
  CHECK(is_plain_line(message));
  return message.substr(message.find("expected"));
}

}  // namespace

TEST_CASE("plain values of every protocol") {
  CHECK(kind("N") == "None");
  CHECK(kind("\x88") == "a truth value");
  CHECK(kind("G"s + std::string(8, '\0')) == "a number");
  CHECK(kind(text("x")) == "text");
  CHECK(kind("\x95"s + std::string(8, '\0') + "\x8c\1x") == "text");
  CHECK(kind("\x8d"s + packed<std::uint64_t>(2) + "ab") == "text");
  CHECK(kind("U\1x") == "text");
  CHECK(kind("C\1x") == "text");
  CHECK(kind("\x96"s + packed<std::uint64_t>(1) + "x") == "text");
  CHECK(kind("(K\1K\2t") == "a tuple");
  CHECK(kind("K\1K\2K\3\x87") == "a tuple");
  CHECK(kind("](K\1K\2e") == "a list");
  CHECK(kind("\x8f(K\1\x90") == "a list");
  CHECK(kind("}" + text("a") + "Ns") == "a dictionary");
  CHECK(kind("(K\1(K\2"
             "10N") == "None");
  CHECK(kind("]\x94h\0"s) == "a list");
  CHECK(kind(text("posix") + text("system") + "\x93") == "the name posix.system");
}

TEST_CASE("integers keep sign and size") {
  CHECK(integer("K\xff") == 255);
  CHECK(integer("M\xff\xff") == 65535);
  CHECK(integer("J\xff\xff\xff\xff") == -1);
  CHECK(integer("\x8a\0"s) == 0);
  CHECK(integer("\x8a\1\xff") == -1);
  CHECK(integer("\x8a\2\xff\0"s) == 255);
  CHECK(integer(number(INT64_MIN)) == INT64_MIN);
  CHECK(kind("\x8a\x09"s + std::string(9, '\1')) == "an integer beyond 64 bits");
}

TEST_CASE("nothing is called") {
  CHECK(kind(opaque()) == "an object of posix.system");
  CHECK(kind(opaque() + "}b") == "an object of posix.system");                    // built
  CHECK(kind(opaque() + "(" + text("k") + "Nu") == "an object of posix.system");  // filled
  CHECK(kind(opaque() + "(Ne") == "an object of posix.system");
  CHECK(kind(opaque() + ")R") == "an object of posix.system");  // called again
  CHECK(kind("N)R") == "an object of an unnamed value");
  CHECK(kind(global("torch.nn", "Linear") + ")\x81}b") == "an object of torch.nn.Linear");
  CHECK(kind(global("a\x1b", "b\xff") + ")R") == "an object of a\\x1b.b\\xff");
  CHECK(kind(global("collections", "OrderedDict") + ")R" + dictionary({{"_metadata", "N"}}) + "b") ==
        "a dictionary");
}

TEST_CASE("an OrderedDict of Python 2 comes with its pairs") {
  const std::string bytes = pickle(global("collections", "OrderedDict") + "](](U\1aK\1e](U\1bK\2ee\x85R");
  const pickled out = read(bytes);
  const auto* dictionary = out.container(out.root, pickle_form::dictionary);
  REQUIRE(dictionary != nullptr);
  REQUIRE(out.at(*dictionary, "b"));
  CHECK(out.as<pickle_integer>(*out.at(*dictionary, "b"))->value == 2);
  CHECK_FALSE(out.at(*dictionary, "c"));
}

TEST_CASE("pickles that ask for what is not there are refused") {
  CHECK(refusal("") == "expected 1 more bytes, found 0");
  CHECK(refusal("\x80\x06.") == "expected a pickle protocol up to 5, found 6");
  CHECK(refusal(pickle("")) == "expected a value on the stack, found none");
  CHECK(refusal(pickle("(0N(")) == "expected a value on the stack, found none");  // not below a mark
  CHECK(refusal(pickle("Nt")) == "expected a mark on the stack, found none");
  CHECK(refusal(pickle("h\7")) == "expected a memo key that was set, found 7");
  CHECK(refusal(pickle("Nr\xff\xff\xff\x7f")) == "expected memo keys that count up, found 2147483647");
  CHECK(refusal(pickle("X\xff\xff\xff\x7f"
                       "abc")) == "expected 2147483647 more bytes, found 4");
  CHECK(refusal(pickle("\x8e"s + std::string(8, '\xff'))) ==
        "expected 18446744073709551615 more bytes, found 1");
  CHECK(refusal(pickle("\x8b\xff\xff\xff\xff")) == "expected 4294967295 more bytes, found 1");
  CHECK(refusal(pickle("cposix")) == "expected a line, found no end of it");
  CHECK(refusal(pickle("NN\x93")) == "expected text as the name of a global, found something else");
  CHECK(refusal(pickle("](NNu")) == "expected a dictionary to fill, found a list");
  CHECK(refusal(pickle("N(NNu")) == "expected a dictionary to fill, found None");
  CHECK(refusal(pickle("}(Nu")) == "expected a value for every key, found one key more");
  CHECK(says(refusal(pickle("(iposix\nsystem\n")), "found 105"));
  CHECK(says(refusal(pickle("\x82\1")), "found 130"));
}

TEST_CASE("storages and tensors that PyTorch never writes are refused") {
  CHECK(refusal(pickle("NQ")) == "expected a storage as persistent id, found None");
  CHECK(refusal(pickle("(NNNNNtQ")) == "expected a storage as persistent id, found a tuple");
  CHECK(refusal(pickle(storage(-4))) == "expected a count from 0, found -4");
  CHECK(refusal(pickle(storage(4) + storage(5))) == "expected one type and count, found two");
  CHECK(refusal(pickle(storage(4) + storage(4, "0", "HalfStorage"))) ==
        "expected one type and count, found two");
  CHECK(says(refusal(pickle("(" + text("storage") + global("torch", "FloatStorage") + text("0") +
                            text("cpu") + number(4) + "K\1tQ")),
             "found a view"));
  const std::string rebuild = global("torch._utils", "_rebuild_tensor_v2");
  CHECK(refusal(pickle(rebuild + ")R")) == "expected storage, offset, shape and strides, found 0 arguments");
  CHECK(refusal(pickle(rebuild + "(NNNNtR")) == "expected a storage, found None");
  CHECK(kind(tensor(storage(4, "0", "ComplexFloatStorage"), {4}, {1})) ==
        "an object of torch.ComplexFloatStorage");
  CHECK(kind("(" + text("storage") + global("evil", "FloatStorage") + text("0") + text("cpu") + number(4) +
             "tQ") == "a storage");
  CHECK(kind("(" + text("module") + global("torch.nn", "Linear") + text("path") + text("source") +
             "tQ)\x81") == "an object of torch.nn.Linear");
}

TEST_CASE("neither depth nor cycles nor size matter") {
  const int depth = 200'000;
  CHECK(kind(std::string(depth, ']') + std::string(depth - 1, 'a')) == "a list");
  CHECK(kind("]q\0h\0a"s) == "a list");
  CHECK(kind("}q\0"s + text("me") + "h\0s"s) == "a dictionary");
  CHECK(says(refusal("\x80\x02" + std::string(5'000'000, ']')), "expected at most 4194304 values"));
  CHECK(says(refusal("\x80\x02" + std::string(5'000'000, 'N')), "expected a shorter stack"));
  CHECK(says(refusal("\x80\x02" + std::string(5'000'000, '(')), "expected fewer marks"));
  // Every call would copy the list: together they may hold no more elements than the pickle has bytes.
  std::string pairs = global("collections", "OrderedDict") + "q\0]("s;
  for (int i = 0; i < 1000; ++i) pairs += "NN\x86";
  pairs += "e\x85q\1";
  for (int i = 0; i < 10'000; ++i) pairs += "h\0h\1R"s;
  CHECK(says(refusal(pickle(pairs)), "elements in all"));
}

TEST_CASE("every cut of a pickle is refused") {
  const std::string good = pickle(dictionary({{"w", tensor(storage(4), {2, 2}, {2, 1})}, {"v", opaque()}}));
  read(good);
  for (std::size_t size = 0; size < good.size(); ++size) refusal(good.substr(0, size));
}
