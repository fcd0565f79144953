// Files in memory: parts that are released are there again when they are read.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include <atrous/weights/mapped_file.hpp>

#include "../support/scratch.hpp"

namespace {

using namespace atrous;

/// Bytes of files that the process holds in memory; those of a tmpfs count as shared memory.
long resident_of_files() {
  std::ifstream status("/proc/self/status");
  long kilobytes = 0;
  for (std::string word; status >> word;)
    if (long part = 0; (word == "RssFile:" || word == "RssShmem:") && status >> part) kilobytes += part;
  return kilobytes * 1024;
}

std::string made_contents(std::size_t bytes) {
  std::string all(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) all[i] = static_cast<char>(i * 2654435761U >> 13);
  return all;
}

std::string text_of(const mapped_file& file) {
  const auto* first = reinterpret_cast<const char*>(file.bytes().data());
  return {first, first + file.bytes().size()};
}

}  // namespace

TEST_CASE("what is released is read again") {
  const scratch here;
  const std::string expected = made_contents(300'001);
  const mapped_file file(here.file("file", expected));
  CHECK(text_of(file) == expected);
  for (const auto& [from, count] :
       {std::pair{0, 300'001}, {0, 1}, {70'000, 0}, {65'536, 65'536}, {299'999, 2}}) {
    file.release(file.bytes().subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(count)));
    CHECK(text_of(file) == expected);
  }
}

TEST_CASE("memory that is not the file's stays as it is") {
  const scratch here;
  const mapped_file file(here.file("file", made_contents(100'000)));
  const std::vector<std::byte> other(1'000'000, std::byte{7});
  file.release(other);
  file.release({});
  CHECK(std::all_of(other.begin(), other.end(), [](std::byte b) { return b == std::byte{7}; }));
}

TEST_CASE("released pages leave memory") {
  const scratch here;
  constexpr std::size_t bytes = std::size_t{16} << 20;
  const std::string expected = made_contents(bytes);
  const mapped_file file(here.file("file", expected));
  const long before = resident_of_files();
  REQUIRE(text_of(file) == expected);
  CHECK(resident_of_files() - before > static_cast<long>(bytes / 2));
  for (std::size_t at = 0; at < bytes; at += 4096) file.release(file.bytes().subspan(at, 4096));
  CHECK(resident_of_files() - before < static_cast<long>(bytes / 8));
}
