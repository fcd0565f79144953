// SPDX-License-Identifier: MIT
// Segments images and video frames: label maps, overlays with a legend, the classes found, and how long it took.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <numeric>
#include <utility>

#include <atrous/data/label_metadata.hpp>
#include <atrous/data/legend.hpp>
#include <atrous/data/overlay.hpp>
#include <atrous/data/palettes/colour_blind.hpp>
#include <atrous/data/png.hpp>
#include <atrous/data/ppm.hpp>
#include <atrous/model/self_test.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/weights/read_weights.hpp>
#include <atrous/weights/safetensors.hpp>

#include "runtime/outputs.hpp"
#include "runtime/program.hpp"
#include "runtime/progress_bar.hpp"
#include "runtime/runner.hpp"
#include "runtime/sources.hpp"
#include "runtime/text.hpp"
#include "runtime/weights.hpp"

namespace {

struct settings {
  std::vector<std::string> images;
  std::string network, weights, policy = "openmp", palette = "usual";
  programs::output labels{"", ".png"}, overlay{"", ".png"}, logits{"", ".safetensors"};
  programs::manner how;
  bool side_by_side = false, no_legend = false, profile = false, check_range = false, strict = false;
  bool self_test = false;
  int classes = 0, repeat = 0;  // 0: not given
};

constexpr const char* help =
    "Prints a line for every image: file, height x width, classes found with their share of the pixels, and\n"
    "the median time of a run, from the image in memory to the label map in memory.\n\n"
    "An image is a PNG, JPEG or PPM file (alpha is dropped, EXIF orientation applied), or a folder of them.\n"
    "With several images, or a folder, --labels, --overlay and --logits name folders, made where they are\n"
    "absent, with one file per image. - reads the frames of a video from standard input, as YUV4MPEG2 or "
    "PPMs.\n"
    "Names and colours of classes come from the metadata of the weights, else from the data set with this\n"
    "number of classes.\n\n";
constexpr const char* example =
    "\nExamples:\n"
    "  segment street.png --network deeplabv3plus_xception65_os8 --weights xception65.safetensors --overlay "
    "out.png\n"
    "  segment photos/ --network NAME --weights FILE --labels labels/ --overlay overlays/\n"
    "  segment --weights converted.safetensors --self-test\n"
    "  ffmpeg -i in.mp4 -pix_fmt yuv420p -f yuv4mpegpipe - | segment - --network NAME --weights FILE "
    "--overlay - |\n"
    "      ffmpeg -f ppm_pipe -framerate 25 -i - -pix_fmt yuv420p out.mp4\n";

void add_options(CLI::App& app, settings& s) {
  app.add_option("IMAGE", s.images, "Images to segment, folders of them, or - for frames on standard input")
      ->type_name("");
  app.add_option("--weights", s.weights,
                 "Weights: safetensors, a PyTorch file, a TensorFlow checkpoint or frozen graph")
      ->required()
      ->type_name("FILE");
  app.add_option("--network", s.network, "Name of their network, see below; default: told by their tensors")
      ->type_name("NAME");
  app.add_flag("--strict", s.strict, "Refuse weights whose tensors fit several networks");
  app.add_flag(
      "--self-test", s.self_test,
      "First run the network on the image that the weights bring (convert --self-test), and stop where\n"
      "its logits do not come out; needs no IMAGE");
  app.add_option("--labels", s.labels.place, "Write label maps: palette PNG, 8-bit indices of the classes")
      ->check(programs::not_empty())
      ->type_name("OUT.png");
  app.add_option(
         "--overlay", s.overlay.place,
         "Write the image with its classes in colours and a legend; - writes frames without legend to\n"
         "standard output as PPMs, and the lines to standard error")
      ->check(programs::not_empty())
      ->type_name("OUT.png");
  app.add_flag("--side-by-side", s.side_by_side, "Overlays with the image itself on their left");
  app.add_flag("--no-legend", s.no_legend, "Overlays without legend");
  app.add_option("--palette", s.palette, "Colours of the classes; default usual")
      ->check(CLI::IsMember({"usual", "colour-blind"}))
      ->option_text("usual|colour-blind");
  app.add_option(
         "--logits", s.logits.place,
         "Write class scores before the last resize: float32 tensor \"logits\" (rows, columns, classes)")
      ->check(programs::not_empty())
      ->type_name("OUT.safetensors");
  app.add_flag("--multi-scale", s.how.multi_scale, "Mean of scales 0.5, 0.75, 1, 1.25, 1.5 and 1.75");
  app.add_flag("--flip", s.how.flip, "Mean with the mirrored image");
  app.add_option("--tile", s.how.tile, "Cut images larger than N x N into tiles that overlap: bounded memory")
      ->check(programs::from(128, 65536))
      ->type_name("N");
  app.add_flag("--profile", s.profile, "Print a table of the steps of a run and their times");
  app.add_flag("--check-range", s.check_range,
               "Print the largest number that each step writes: does it fit into half?");
  app.add_option("--policy", s.policy,
                 "Who computes; default openmp. openmp-half: weights and maps in half of the memory; "
                 "reference: plain loops, slow")
      ->check(CLI::IsMember(programs::policies()))
      ->option_text("openmp|openmp-half|reference");
  app.add_option("--classes", s.classes, "Number of classes; the weights must have as many")
      ->check(programs::from(1, 65536))
      ->type_name("N");
  app.add_option("--repeat", s.repeat, "Measure N runs after one that does not count; default: the first run")
      ->check(programs::from(1, 1000000))
      ->type_name("N");
}

/// Refuses options that have no meaning together.
void check_options(const settings& s, const programs::sources& pictures) {
  const auto exclude = [](bool one, bool other, const char* what) {
    if (one && other) throw std::invalid_argument(what);
  };
  const bool means = s.how.multi_scale || s.how.flip;
  if (s.images.empty() && !s.self_test) throw std::invalid_argument("IMAGE is required");
  exclude(s.images.empty(), s.labels.wanted() || s.overlay.wanted() || s.logits.wanted(),
          "--labels, --overlay and --logits need an IMAGE");
  exclude(s.how.tile > 0, means, "--tile excludes --multi-scale and --flip");
  exclude(s.logits.wanted(), means || s.how.tile > 0,
          "--logits excludes --multi-scale, --flip and --tile, which have the scores of several runs");
  for (const auto& [wanted, option] : {std::pair{s.profile, "--profile"}, {s.check_range, "--check-range"}}) {
    exclude(wanted, means || s.how.tile > 0,
            (std::string(option) + " excludes --multi-scale, --flip and --tile").c_str());
    exclude(wanted, pictures.several(), (std::string(option) + " takes one image").c_str());
  }
  exclude(s.side_by_side || s.no_legend, !s.overlay.wanted(),
          "--side-by-side and --no-legend need --overlay");
  exclude(s.overlay.streamed(), !pictures.stream(), "--overlay - needs frames on standard input (image -)");
  exclude(s.labels.streamed() || s.logits.streamed(), true,
          "expected a file or folder for --labels and --logits, found -");
}

// ---- one image

struct segmented {
  atrous::image labels;
  double milliseconds = 0;  // median
};

segmented segment(programs::runner& network, const atrous::image& photo, int repeat,
                  const programs::manner& how) {
  const atrous::pixels_view image(photo.pixels.data(), {photo.height, photo.width, photo.channels});
  segmented made{{photo.height, photo.width, 1, {}}};
  made.labels.pixels.resize(static_cast<std::size_t>(photo.height) * static_cast<std::size_t>(photo.width));
  const atrous::view<std::uint8_t> labels(made.labels.pixels.data(), 1, {photo.height, photo.width, 1});
  if (repeat > 0) network.run(image, labels, how);
  std::vector<double> times;
  for (int i = 0; i < std::max(repeat, 1); ++i) {
    const auto start = std::chrono::steady_clock::now();
    network.run(image, labels, how);
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
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return std::pair(count[a], b) > std::pair(count[b], a); });
  std::string text;
  for (const std::size_t i : order) {
    if (count[i] == 0) break;
    const double share = 100.0 * static_cast<double>(count[i]) / static_cast<double>(labels.pixels.size());
    text += (text.empty() ? "" : ", ") + names[i] + " " +
            (share < 0.05 ? "<0.1 %" : programs::formatted("%.1f %%", share));
  }
  return text;
}

void write_logits(const std::filesystem::path& path, const atrous::tensor<float>& logits) {
  const auto& [height, width, classes] = logits.extent;
  const atrous::stored_tensor tensor{
      "logits", atrous::element_type::f32, {height, width, classes}, std::as_bytes(std::span(logits.data))};
  atrous::write_safetensors(path, std::span(&tensor, 1));
}

/// Everything that is known before the first image is read.
class job {
 public:
  job(const settings& s, const atrous::tensor_set& weights, programs::sources& pictures, int threads)
      : s_(s),
        pictures_(pictures),
        threads_(threads),
        fitted_(programs::fit(weights, {s.network, s.classes, s.strict})) {
    const int classes = fitted_.network.classes;
    if (classes > 256) {
      throw std::invalid_argument(atrous::printable_path(s.weights) +
                                  ": label maps hold at most 256 classes, this has " +
                                  std::to_string(classes));
    }
    classes_ = atrous::labels_in(fitted_.weights, classes);
    if (s.palette == "colour-blind") classes_ = atrous::colour_blind_safe(classes_);
    if (s.overlay.wanted() && !s.no_legend && !s.overlay.streamed()) font_.emplace(legend_font());
  }

  /// What goes wrong with one of several files is told at the end, when the others are done.
  void run() {
    if (s_.self_test) check_self();
    if (s_.images.empty()) return;
    const std::size_t count = pictures_.files().size();
    std::vector<std::string> failed;
    for (;; ++done_) {
      try {
        const std::optional<programs::picture> next = pictures_.next();
        if (!next) break;
        process(*next);
      } catch (const std::runtime_error& e) {
        if (count < 2) throw;
        failed.emplace_back(e.what());
      }
    }
    if (done_ == 0) throw std::runtime_error("standard input: expected frames, found none");
    if (failed.empty()) return;
    std::string told = std::to_string(failed.size()) + " of " + std::to_string(count) + " images failed: ";
    for (std::size_t i = 0; i < failed.size() && i < 3; ++i) told += (i > 0 ? "; " : "") + failed[i];
    throw std::runtime_error(told + (failed.size() > 3 ? "; ..." : ""));
  }

 private:
  /// Whatever is printed for people; frames have standard output for themselves.
  std::ostream& lines() const { return s_.overlay.streamed() ? std::cerr : std::cout; }

  /// Makes the network, once. `image` is what it is checked for; others run as well.
  void load(atrous::shape image) {
    if (!runner_)
      runner_ = programs::make_runner(s_.policy, fitted_.network, image, fitted_.weights, threads_);
  }

  void check_self() {
    const double allowed = s_.policy == "openmp-half" ? 2e-2 : 1e-4;
    const std::string name = atrous::printable_path(s_.weights);
    if (!atrous::has_self_test(fitted_.weights))
      throw std::runtime_error(name + ": holds no self-test (convert --self-test IMAGE writes one)");
    load({257, 257, 3});
    const double found = runner_->self_test(fitted_.weights);
    const std::string told = programs::formatted("logits off by %.1e of the largest", found) +
                             programs::formatted(", allowed %.0e", allowed);
    if (!(found <= allowed)) throw std::runtime_error(name + ": self-test failed: " + told);
    lines() << name << ": self-test passed: " << told << std::endl;
  }

  atrous::font legend_font() const {
    try {
      return atrous::legend_font(classes_);
    } catch (const std::runtime_error& e) {
      throw std::runtime_error(std::string(e.what()) + "; or leave the legend out with --no-legend");
    }
  }

  void process(const programs::picture& picture) {
    const atrous::image& photo = picture.photo;
    load({photo.height, photo.width, photo.channels});
    programs::make_folders({s_.labels, s_.overlay, s_.logits}, pictures_.several());
    const std::string name = atrous::printable_path(picture.name);
    const std::size_t count = pictures_.files().size();
    programs::manner how = s_.how;
    const auto show = [&](int part, int parts) {
      const double share = (static_cast<double>(done_) + double(part) / parts) / static_cast<double>(count);
      return bar_.show(count > 0 ? share : -1, name), true;
    };
    if (s_.repeat == 0) how.on_part = show;
    if (pictures_.several()) show(0, 1);
    const segmented made = segment(*runner_, photo, s_.repeat, how);
    write(picture, made);
    bar_.clear();
    if (!fitted_.note.empty()) std::cerr << "segment: " << std::exchange(fitted_.note, "") << '\n';
    lines() << name << ": " << photo.height << "x" << photo.width << ", "
            << shares(made.labels, classes_.names) << ", "
            << programs::formatted("%.1f ms", made.milliseconds) << std::endl;
    const atrous::pixels_view image{photo.pixels.data(), {photo.height, photo.width, photo.channels}};
    if (s_.profile) std::cout << runner_->profile(image, std::max(s_.repeat, 5));
    if (s_.check_range) std::cout << runner_->ranges(image);
  }

  void write(const programs::picture& from, const segmented& made) {
    const bool several = pictures_.several();
    if (s_.labels.wanted())
      atrous::write_png_indexed(s_.labels.file_for(from.name, several), made.labels, classes_.colours);
    if (s_.logits.wanted()) write_logits(s_.logits.file_for(from.name, several), runner_->logits());
    if (!s_.overlay.wanted()) return;
    atrous::image picture = atrous::overlay(from.photo, made.labels, classes_);
    if (s_.side_by_side) picture = atrous::side_by_side(from.photo, picture);
    if (font_) picture = atrous::with_legend(picture, made.labels, classes_, *font_);
    if (s_.overlay.streamed()) return atrous::write_ppm(std::cout, picture);  // frames of one size
    atrous::write_png(s_.overlay.file_for(from.name, several), picture);
  }

  const settings& s_;
  programs::sources& pictures_;
  int threads_;
  programs::fitted fitted_;
  atrous::label_set classes_;
  std::optional<atrous::font> font_;
  std::unique_ptr<programs::runner> runner_;
  programs::progress_bar bar_;
  std::size_t done_ = 0;
};

void work(const settings& s, int threads) {
  programs::sources pictures(s.images);
  check_options(s, pictures);
  const atrous::tensor_set weights = atrous::read_weights(s.weights);
  programs::check_outputs({s.labels, s.overlay, s.logits}, pictures, programs::files_of(weights, s.weights));
  job(s, weights, pictures, threads).run();
}

}  // namespace

int main(int argc, char** argv) {
  programs::command_line line("segment", "Segments images with a DeepLab network.",
                              programs::with_network_names(help, example));
  settings s;
  add_options(line.app, s);
  return line.run(argc, argv, [&] { work(s, line.threads); });
}
