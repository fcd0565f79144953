// SPDX-License-Identifier: MIT
// Whatever keeps a file from being written, its name shows the old contents, and no other file stays behind.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include <atrous/weights/replaced_file.hpp>
#include <atrous/weights/safetensors.hpp>

#include "../support/scratch.hpp"

namespace {

/// While it lives no file grows beyond `bytes`, as on a disk that is full.
struct full_disk {
  rlimit before{};

  explicit full_disk(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit now{bytes, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  full_disk(const full_disk&) = delete;
  full_disk& operator=(const full_disk&) = delete;
  ~full_disk() { ::setrlimit(RLIMIT_FSIZE, &before); }
};

void write(const std::filesystem::path& path, std::string_view text) {
  atrous::replaced_file file(path);
  file.write(bytes_of(text));
  file.commit();
}

std::string refusal(const std::filesystem::path& path) {
  const auto message = message_of<std::runtime_error>([&] { write(path, std::string(100'000, 'x')); });
  CHECK(message.starts_with(path.string() + ": cannot be "));
  CHECK(is_plain_line(message));
  return message;
}

std::ptrdiff_t files_in(const std::filesystem::path& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), {});
}

}  // namespace

TEST_CASE("a full disk leaves the old file and no half of the new") {
  const scratch here;
  const auto old = here.file("old", "old"), absent = here.folder / "new";
  {
    const full_disk full(10'000);
    CHECK(says(refusal(old), "File too large"));
    refusal(absent);
    const std::vector<float> numbers(10'000);
    const atrous::stored_tensor tensor{
        "w", atrous::element_type::f32, {10'000}, std::as_bytes(std::span(numbers))};
    CHECK_THROWS_AS(atrous::write_safetensors(old, std::span(&tensor, 1)), std::runtime_error);
  }
  CHECK(contents_of(old) == "old");
  CHECK(files_in(here.folder) == 1);
  write(old, "new");
  CHECK(contents_of(old) == "new");
  if (std::filesystem::exists("/dev/full")) CHECK(says(refusal("/dev/full"), "No space left on device"));
}

TEST_CASE("what may not be written stays") {
  const scratch here;
  const auto kept = here.file("kept", "old");
  if (::geteuid() == 0) {
    MESSAGE("skipped: nothing is forbidden to root");
    return;
  }
  ::chmod(kept.c_str(), 0400);
  CHECK(says(refusal(kept), "Permission denied"));
  ::chmod(kept.c_str(), 0600);
  ::chmod(here.folder.c_str(), 0500);
  CHECK(says(refusal(kept), "Permission denied"));
  CHECK(says(refusal(here.folder / "new"), "Permission denied"));
  ::chmod(here.folder.c_str(), 0700);
  CHECK(contents_of(kept) == "old");
  CHECK(files_in(here.folder) == 1);
}

TEST_CASE("a place that is none is refused") {
  const scratch here;
  const auto file = here.file("file", "old");
  CHECK(says(refusal(here.folder), "Is a directory"));
  CHECK(says(refusal(here.folder / "absent" / "file"), "No such file or directory"));
  CHECK(says(refusal(file / "below"), "Not a directory"));
  CHECK(says(refusal(here.folder / std::string(300, 'n')), "File name too long"));
  CHECK_THROWS_AS(write("", "x"), std::runtime_error);
  CHECK(contents_of(file) == "old");
  CHECK(files_in(here.folder) == 1);
}

TEST_CASE("a folder that goes away while a file is written") {
  const scratch here;
  const auto folder = here.folder / "gone";
  std::filesystem::create_directory(folder);
  atrous::replaced_file file(folder / "file");
  file.write(bytes_of("half"));
  std::filesystem::remove_all(folder);
  CHECK(says(message_of<std::runtime_error>([&] { file.commit(); }), "cannot be replaced"));
}
