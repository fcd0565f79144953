// SPDX-License-Identifier: MIT
#include "sha256.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <fstream>
#include <memory>
#include <stdexcept>

#include <atrous/weights/mapped_file.hpp>

namespace programs {
namespace {

void check(int done) {
  if (done != 1) throw std::runtime_error("SHA-256 cannot be computed: OpenSSL refuses");
}

}  // namespace

std::string sha256(const std::vector<std::string>& files) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> sum(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  check(sum != nullptr ? EVP_DigestInit_ex(sum.get(), EVP_sha256(), nullptr) : 0);
  std::vector<char> part(std::size_t{1} << 20);
  for (const std::string& name : files) {
    std::ifstream file(name, std::ios::binary);
    if (!file) throw atrous::system_error_about(name, "cannot be opened");
    do {
      file.read(part.data(), static_cast<std::streamsize>(part.size()));
      check(EVP_DigestUpdate(sum.get(), part.data(), static_cast<std::size_t>(file.gcount())));
    } while (file);
    if (file.bad()) throw atrous::system_error_about(name, "cannot be read");
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  check(EVP_DigestFinal_ex(sum.get(), bytes.data(), &size));
  std::string text;
  for (std::size_t i = 0; i < size; ++i)
    for (const int digit : {bytes[i] >> 4, bytes[i] & 15}) text += "0123456789abcdef"[digit];
  return text;
}

}  // namespace programs
