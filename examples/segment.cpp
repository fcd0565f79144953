// SPDX-License-Identifier: MIT
// Segments images: a label map of each, the classes in it, and how long it took.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <numeric>
#include <set>

#include <atrous/data/png.hpp>
#include <atrous/data/read_image.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/weights/safetensors.hpp>

#include "runtime/program.hpp"
#include "runtime/runner.hpp"
#include "runtime/text.hpp"
#include "runtime/weights.hpp"

namespace {

namespace fs = std::filesystem;

struct settings {
  std::vector<std::string> images;
  std::string network, weights, labels, logits, policy = "openmp";
  int classes = 0, repeat = 0;  // 0: not given
};

constexpr const char* help =
    "Prints a line for every image: file, height x width, classes found with their share of the pixels, and\n"
    "the median time of a run, from the image in memory to the label map in memory.\n\n"
    "With several images --labels and --logits name folders, made where they are absent, with one file per\n"
    "image. Images are PNG or JPEG; alpha is dropped, EXIF orientation applied. Names and colours of "
    "classes\n"
    "come from the metadata of the weights, else from the data set with this number of classes.\n\n";
constexpr const char* example =
    "\nExample:\n"
    "  segment street.png --network deeplabv3plus_xception65_os8 --weights xception65.safetensors --labels "
    "out.png\n";

void add_options(CLI::App& app, settings& s) {
  app.add_option("IMAGE", s.images, "Images to segment, PNG or JPEG")->required()->type_name("");
  app.add_option("--network", s.network, "Name of the network, see below")->required()->type_name("NAME");
  app.add_option("--weights", s.weights, "Its weights, a safetensors file with TensorFlow's variable names")
      ->required()
      ->type_name("FILE");
  app.add_option("--labels", s.labels, "Write label maps: palette PNG, 8-bit indices of the classes")
      ->type_name("OUT.png");
  app.add_option(
         "--logits", s.logits,
         "Write class scores before the last resize: float32 tensor \"logits\" (rows, columns, classes)")
      ->type_name("OUT.safetensors");
  app.add_option("--policy", s.policy, "Who computes; default openmp. reference: plain loops, slow")
      ->check(CLI::IsMember(programs::policies()))
      ->option_text("openmp|reference");
  app.add_option("--classes", s.classes, "Number of classes; the weights must have as many")
      ->check(programs::from(1, 65536))
      ->type_name("N");
  app.add_option("--repeat", s.repeat, "Measure N runs after one that does not count; default: the first run")
      ->check(programs::from(1, 1000000))
      ->type_name("N");
}

// ---- where results go

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw std::invalid_argument(atrous::printable_path(path) + ": " + why);
}

/// The file for the result of an image: `option` itself, or of several images the one in that folder.
fs::path output_for(const settings& s, const std::string& option, const std::string& image,
                    const char* suffix) {
  if (s.images.size() == 1) return option;
  return fs::path(option) / (fs::path(image).stem().string() + suffix);
}

/// Every file that will be written.
std::vector<fs::path> outputs_of(const settings& s) {
  std::vector<fs::path> all;
  for (const std::string& image : s.images) {
    if (!s.labels.empty()) all.push_back(output_for(s, s.labels, image, ".png"));
    if (!s.logits.empty()) all.push_back(output_for(s, s.logits, image, ".safetensors"));
  }
  return all;
}

/// Refuses a file or folder that results cannot be written to.
void check_place(const settings& s, const std::string& option) {
  std::error_code none;
  const bool folder = fs::is_directory(option, none);
  if (s.images.size() > 1 && fs::exists(option, none) && !folder)
    refuse(option, "expected a folder, for several images");
  if (s.images.size() == 1 && folder) refuse(option, "expected a file, found a folder");
  if (s.images.size() > 1 || fs::exists(option, none)) return;
  const fs::path parent = fs::path(option).parent_path();
  if (::access(parent.empty() ? "." : parent.c_str(), W_OK | X_OK) != 0)
    throw atrous::system_error_about(option, "cannot be written");
}

/// Refuses, before anything is computed, results that could not be written, or that would replace an input or each
/// other.
void check_files(const settings& s) {
  for (const std::string& image : s.images) {
    if (::access(image.c_str(), R_OK) != 0) throw atrous::system_error_about(image, "cannot be opened");
  }
  for (const std::string& option : {s.labels, s.logits}) {
    if (!option.empty()) check_place(s, option);
  }
  std::vector<std::string> inputs = s.images;
  inputs.push_back(s.weights);
  std::set<fs::path> places;
  for (const fs::path& output : outputs_of(s)) {
    std::error_code none;
    for (const std::string& input : inputs) {
      if (fs::equivalent(output, input, none)) refuse(output.string(), "would replace what it is made of");
    }
    if (!places.insert(fs::weakly_canonical(output, none)).second)
      refuse(output.string(), "two results for one file");
  }
}

void make_folders(const settings& s) {
  for (const std::string& option : {s.labels, s.logits}) {
    if (option.empty() || s.images.size() == 1) continue;
    std::error_code failed;
    fs::create_directories(option, failed);
    if (failed) refuse(option, "cannot be made: " + failed.message());
  }
}

// ---- one image

struct segmented {
  atrous::image labels;
  double milliseconds = 0;  // median
};

segmented segment(programs::runner& network, const atrous::image& photo, int repeat) {
  const atrous::pixels_view image(photo.pixels.data(), {photo.height, photo.width, photo.channels});
  segmented made{{photo.height, photo.width, 1, {}}};
  made.labels.pixels.resize(static_cast<std::size_t>(photo.height) * static_cast<std::size_t>(photo.width));
  const atrous::view<std::uint8_t> labels(made.labels.pixels.data(), 1, {photo.height, photo.width, 1});
  if (repeat > 0) network.run(image, labels);
  std::vector<double> times;
  for (int i = 0; i < std::max(repeat, 1); ++i) {
    const auto start = std::chrono::steady_clock::now();
    network.run(image, labels);
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  const std::size_t middle = times.size() / 2;
  made.milliseconds = times.size() % 2 == 1 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
  return made;
}

/// "bird 20.7 %, background 79.3 %": what there is most of comes first.
std::string shares(const atrous::image& labels, const std::vector<std::string>& names) {
  std::vector<std::int64_t> count(names.size());
  for (const std::uint8_t label : labels.pixels) ++count.at(label);
  std::vector<std::size_t> order(names.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return count[a] > count[b]; });
  std::string text;
  for (const std::size_t i : order) {
    if (count[i] == 0) break;
    const double share = 100.0 * static_cast<double>(count[i]) / static_cast<double>(labels.pixels.size());
    text += (text.empty() ? "" : ", ") + names[i] + " " +
            (share < 0.05 ? "<0.1 %" : programs::formatted("%.1f %%", share));
  }
  return text;
}

void write_logits(const fs::path& path, const atrous::tensor<float>& logits) {
  const auto& [height, width, classes] = logits.extent;
  const atrous::stored_tensor tensor{
      "logits", atrous::element_type::f32, {height, width, classes}, std::as_bytes(std::span(logits.data))};
  atrous::write_safetensors(path, std::span(&tensor, 1));
}

void process(const settings& s, const std::string& file, const atrous::image& photo,
             programs::runner& network, const atrous::label_set& classes) {
  const segmented made = segment(network, photo, s.repeat);
  if (!s.labels.empty()) {
    atrous::write_png_indexed(output_for(s, s.labels, file, ".png"), made.labels, classes.colours);
  }
  if (!s.logits.empty()) write_logits(output_for(s, s.logits, file, ".safetensors"), network.logits());
  std::cout << atrous::printable_path(file) << ": " << photo.height << "x" << photo.width << ", "
            << shares(made.labels, classes.names) << ", " << programs::formatted("%.1f ms", made.milliseconds)
            << std::endl;
}

void work(const settings& s, int threads) {
  check_files(s);
  const atrous::tensor_set weights = programs::read_weights(s.weights);
  const atrous::deeplab_options network = programs::network_for(s.network, weights, s.classes);
  if (network.classes > 256)
    refuse(s.weights, "label maps hold at most 256 classes, this has " + std::to_string(network.classes));
  const atrous::label_set classes = programs::labels_in(weights, network.classes);
  atrous::image photo = atrous::read_image(fs::path(s.images[0]));
  const auto runner =
      programs::make_runner(s.policy, network, {photo.height, photo.width, photo.channels}, weights, threads);
  make_folders(s);
  for (std::size_t i = 0; i < s.images.size(); ++i) {
    if (i > 0) photo = atrous::read_image(fs::path(s.images[i]));
    process(s, s.images[i], photo, *runner, classes);
  }
}

}  // namespace

int main(int argc, char** argv) {
  programs::command_line line(
      "segment", ATROUS_VERSION, "Segments images with a DeepLab network.",
      std::string(help) + "Network names:\n" + std::string(atrous::network_name_grammar) + example);
  settings s;
  add_options(line.app, s);
  return line.run(argc, argv, [&] { work(s, line.threads); });
}
