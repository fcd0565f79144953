// SPDX-License-Identifier: MIT
// Names and colours of classes in the metadata of a file of weights.
#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

#include <atrous/data/label_metadata.hpp>

namespace {

using namespace atrous;

tensor_set with(const std::string& names, const std::string& palette) {
  tensor_set weights;
  weights.metadata = {{"class_names", names}, {"palette", palette}};
  return weights;
}

TEST_CASE("what is written is read") {
  const label_set written{"own", {"\"a\"", "Stra\u00dfe"}, {{0, 128, 255}, {1, 2, 3}}};
  tensor_set weights;
  weights.metadata = metadata_of(written);
  const label_set read = labels_in(weights, 2);
  CHECK(read.names == written.names);
  CHECK(read.colours == written.colours);
  CHECK(read.name == "the file's own");
}

TEST_CASE("names and colours count each by themselves, and whole or not at all") {
  const label_set usual = labels_for(2);
  const auto names_of = [](const std::string& names) { return labels_in(with(names, ""), 2).names; };
  const auto colours_of = [](const std::string& palette) { return labels_in(with("", palette), 2).colours; };
  CHECK(names_of(R"(["a", "b"])") == std::vector<std::string>{"a", "b"});
  CHECK(names_of(R"(["a\nb", "c"])") == std::vector<std::string>{printable("a\nb"), "c"});
  for (const char* wrong : {"", "[", "{}", "7", R"(["a"])", R"(["a", "b", "c"])", R"(["a", 2])"}) {
    CHECK(names_of(wrong) == usual.names);
  }
  CHECK(colours_of("[[0, 0, 255], [9, 8, 7]]") == std::vector<colour>{{0, 0, 255}, {9, 8, 7}});
  for (const char* wrong : {"[[0, 0, 256], [0, 0, 0]]", "[[0, 0, -1], [0, 0, 0]]", "[[0, 0], [0, 0, 0]]",
                            "[[0, 0, 0.5], [0, 0, 0]]", "[[0, 0, 0]]", "[0, 0]"}) {
    CHECK(colours_of(wrong) == usual.colours);
  }
  CHECK(labels_in(with(R"(["a", "b"])", "[]"), 2).colours == usual.colours);
  CHECK(labels_in(tensor_set{}, 21).name == "VOC");
}

TEST_CASE("lists that are nested deep") {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  CHECK(labels_in(with(deep, deep), 1).names == labels_for(1).names);
  CHECK(labels_in(with("[\"a\"," + deep + "]", "[[1,2,3],[1,2," + deep + "]]"), 2).names ==
        labels_for(2).names);
}

TEST_CASE("classes that cannot be written") {
  CHECK_THROWS_WITH_AS(metadata_of({"own", {"a", "b"}, {{}}}),
                       "expected a colour for each of 2 classes, found 1", std::invalid_argument);
  CHECK_THROWS_AS(metadata_of({"own", {"\xff"}, {{}}}), std::invalid_argument);
}

}  // namespace
