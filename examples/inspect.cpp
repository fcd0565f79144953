// SPDX-License-Identifier: MIT
// Looks at networks and files of weights: layers and their cost, the paper's figures, plans, what fits what.
#include <algorithm>
#include <charconv>
#include <iostream>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <atrous/backend/openmp.hpp>
#include <atrous/backend/openmp/print.hpp>
#include <atrous/data/label_metadata.hpp>
#include <atrous/networks/names.hpp>
#include <atrous/plan/dot.hpp>
#include <atrous/plan/paper.hpp>
#include <atrous/plan/planner.hpp>
#include <atrous/plan/print.hpp>
#include <atrous/weights/identify.hpp>
#include <atrous/weights/read_weights.hpp>

#include "runtime/program.hpp"
#include "runtime/text.hpp"
#include "runtime/weights.hpp"

namespace {

struct settings {
  std::string network, weights, size = "513x513", policy = "openmp";
  int classes = 0;  // 0: not given
  bool csv = false, paper = false, plan = false, dot = false, verify = false;
};

constexpr const char* help =
    "One of three:\n"
    "  inspect --network NAME [--csv | --plan [--policy openmp|openmp-half] | --dot] [--size HxW] [--classes "
    "N]\n"
    "      every layer with its shape, parameters (moving statistics included, before batch norm is folded) "
    "and\n"
    "      multiply-adds, or the plan: what is run, and where in memory the results lie; or the network as a "
    "picture\n"
    "      for Graphviz: inspect --network NAME --dot | dot -Tsvg > NAME.svg\n"
    "  inspect --paper [--csv]\n"
    "      the multiply-adds that the authors printed, beside those computed here\n"
    "  inspect --weights FILE [--network NAME] [--classes N] [--csv] [--verify]\n"
    "      what a file holds, and which network it fits; with a network all that does not fit (then exit "
    "1)\n\n"
    "CSV columns: layer,rows,columns,channels,parameters,multiply_adds (last row: total); row,paper,computed "
    "in\n"
    "billions; name,dtype,shape.\n\n";
constexpr const char* example =
    "\nExample:\n  inspect --network deeplabv3plus_xception65_os8 --size 1025x2049 --classes 19\n";

void add_options(CLI::App& app, settings& s) {
  app.add_option("--network", s.network, "Name of a network, see below")->type_name("NAME");
  app.add_option("--weights", s.weights,
                 "A safetensors file, a PyTorch file, a TensorFlow checkpoint or frozen graph")
      ->type_name("FILE");
  app.add_flag("--verify", s.verify, "Check the sums of all data (TensorFlow's checkpoints have them)");
  app.add_flag("--paper", s.paper, "Print the figures of the paper");
  app.add_option("--size", s.size, "Height x width of the image; default 513x513")->type_name("HxW");
  app.add_option("--classes", s.classes, "Number of classes; default: the weights', else the network's own")
      ->check(programs::from(1, 65536))
      ->type_name("N");
  app.add_flag("--plan", s.plan, "Print the plan of the network");
  app.add_option("--policy", s.policy, "Whose plan; default openmp")
      ->check(CLI::IsMember({"openmp", "openmp-half"}))
      ->option_text("openmp|openmp-half");
  app.add_flag("--dot", s.dot, "Print the network in Graphviz' language");
  app.add_flag("--csv", s.csv, "Print comma-separated values instead of a table");
}

/// Refuses options that have no meaning together.
void check_options(const CLI::App& app, const settings& s) {
  const bool weights = !s.weights.empty();
  if (!s.paper && !weights && s.network.empty()) {
    throw std::invalid_argument("expected --network, --weights or --paper");
  }
  const auto exclude = [&](bool given, const char* mode, std::initializer_list<const char*> others) {
    for (const char* other : others) {
      if (given && app.count(other) > 0)
        throw std::invalid_argument(std::string(mode) + " excludes " + other);
    }
  };
  exclude(s.paper, "--paper", {"--network", "--weights", "--size", "--classes", "--plan", "--dot"});
  exclude(weights, "--weights", {"--size", "--plan", "--dot"});
  if (s.verify && !weights) throw std::invalid_argument("--verify needs --weights");
  exclude(s.plan, "--plan", {"--csv", "--dot"});
  exclude(s.dot, "--dot", {"--csv"});
  if (!s.plan && app.count("--policy") > 0) throw std::invalid_argument("--policy needs --plan");
}

atrous::shape image_shape(const std::string& size) {
  int extents[2]{};
  const char* at = size.data();
  const char* const end = at + size.size();
  for (int i = 0; i < 2; ++i) {
    const auto [next, problem] = std::from_chars(at, end, extents[i]);
    const bool separated = i == 0 ? next != end && *next == 'x' : next == end;
    if (problem != std::errc() || !separated || extents[i] < 1 || extents[i] > 65536) {
      throw std::invalid_argument("--size: expected HEIGHTxWIDTH, each from 1 to 65536, found \"" +
                                  atrous::printable(size) + "\"");
    }
    at = next + (i == 0 ? 1 : 0);
  }
  return {extents[0], extents[1], 3};
}

// ---- layers

/// Rows of all that is more than an activation, every name once.
std::vector<atrous::cost_row> layers_of(atrous::graph_view g) {
  const std::vector<atrous::cost_row> all = atrous::cost_rows(g);
  std::vector<atrous::cost_row> rows;
  std::set<std::string> names;
  for (int i = 0; i < g.size(); ++i) {
    atrous::cost_row row = all[static_cast<std::size_t>(i)];
    const atrous::op_kind kind = g[i].what.kind;
    const bool plain = kind == atrous::op_kind::input || kind == atrous::op_kind::normalise ||
                       kind == atrous::op_kind::activate;
    if (plain && row.costs == atrous::cost{}) continue;
    const std::string name = row.layer;
    for (int k = 1; !names.insert(row.layer).second; ++k) row.layer = name + "_" + std::to_string(k);
    rows.push_back(std::move(row));
  }
  return rows;
}

void print_layers(atrous::graph_view g, bool csv) {
  std::vector<atrous::cost_row> rows = layers_of(g);
  rows.push_back({"total", g[g.output].out, atrous::total(g)});
  if (csv) {
    std::cout << "layer,rows,columns,channels,parameters,multiply_adds\n";
    for (const auto& [layer, out, costs] : rows) {
      std::cout << programs::csv_field(layer) << ',' << out.height << ',' << out.width << ',' << out.channels
                << ',' << costs.parameters << ',' << costs.madds << '\n';
    }
    return;
  }
  atrous::text_table table("lrrr", {"layer", "shape", "parameters", "multiply-adds"});
  for (const auto& [layer, out, costs] : rows) {
    table.add({layer, atrous::text_of(out), atrous::with_separators(costs.parameters),
               atrous::with_separators(costs.madds)});
  }
  std::cout << table.text();
}

// ---- the paper

void print_paper(bool csv) {
  std::vector<atrous::paper_row> rows;
  for (const auto& row : atrous::paper_rows()) rows.push_back(row);
  for (const auto& row : atrous::released_rows()) rows.push_back(row);
  atrous::text_table table("lrrr", {"billions of multiply-adds", "paper", "computed", "difference"});
  if (csv) std::cout << "row,paper,computed\n";
  for (const atrous::paper_row& row : rows) {
    const double found = atrous::computed(row);
    const std::string paper = programs::formatted("%.2f", row.paper),
                      computed = programs::formatted("%.4f", found);
    if (csv) {
      std::cout << programs::csv_field(text_of(row)) << ',' << paper << ',' << computed << '\n';
    } else {
      table.add({text_of(row), paper, computed, programs::formatted("%+.4f", found - row.paper)});
    }
  }
  if (csv) return;
  std::cout << table.text()
            << "\nmulti-scale: 0.5 0.75 1 1.25 1.5 1.75; 513x513 and 21 classes where nothing else is said\n"
               "101.28 is taken for a misprint: the multi-scale figure below it contains 102.78\n";
}

// ---- weights

void print_tensors(const atrous::tensor_set& weights) {
  std::cout << "name,dtype,shape\n";
  for (const atrous::stored_tensor& t : weights.tensors) {
    std::cout << programs::csv_field(t.name) << ',' << atrous::name_of(t.type) << ','
              << (t.shape.empty() ? "" : atrous::text_of(t.shape)) << '\n';
  }
}

void print_fact(const std::string& what, const std::string& text) {
  std::cout << what << std::string(what.size() < 14 ? 14 - what.size() : 1, ' ') << text << '\n';
}

void print_contents(const atrous::tensor_set& weights) {
  std::int64_t parameters = 0, bytes = 0, state = 0;
  bool normed = false;
  std::map<std::string, std::int64_t> types;
  for (const atrous::stored_tensor& t : weights.tensors) {
    bytes += static_cast<std::int64_t>(t.bytes.size());
    ++types[std::string(atrous::name_of(t.type))];
    if (atrous::is_self_test(t.name)) continue;
    if (atrous::is_training_state(t.name, weights)) {
      ++state;
      continue;
    }
    parameters += static_cast<std::int64_t>(t.elements());
    normed = normed || t.name.ends_with("/BatchNorm/moving_mean") || t.name.ends_with(".running_mean");
  }
  std::string spelt;
  for (const auto& [name, count] : types) {
    spelt.append(spelt.empty() ? "" : ", ").append(atrous::with_separators(count)).append(" ").append(name);
  }
  print_fact("container", weights.container);
  print_fact("tensors",
             atrous::with_separators(static_cast<std::int64_t>(weights.tensors.size())) + " (" + spelt + ")");
  print_fact("parameters", atrous::with_separators(parameters));
  print_fact("bytes", atrous::with_separators(bytes));
  print_fact("batch norm", normed ? "not folded" : "folded, or none");
  if (state > 0) print_fact("ignored", atrous::with_separators(state) + " tensors of training state");
  if (const auto* image = weights.find(atrous::self_test_image))
    print_fact("self-test", "on an image of " + atrous::text_of(image->shape));
  std::string what = "metadata";
  for (const auto& [key, value] : weights.metadata) {
    print_fact(what, atrous::printable(key).append(": ").append(atrous::printable(value, 100)));
    what.clear();
  }
}

void print_classes(const std::string& network, const atrous::tensor_set& weights) {
  const auto classes = atrous::classes_in(network, weights);
  if (!classes) return;
  print_fact("classes", std::to_string(*classes) + " (" + atrous::labels_in(weights, *classes).name + ")");
}

/// The network that the metadata tells of, where it fits.
bool print_told(const atrous::tensor_set& weights, int classes) {
  const auto told = weights.metadata.find("network");
  if (told == weights.metadata.end()) return false;
  const std::string name = atrous::printable(told->second);
  try {
    const auto report = atrous::compare(name, atrous::network_for(name, weights, classes), weights);
    if (!report.fits()) return print_fact("does not fit", name + ": " + report.counts()), false;
  } catch (const std::invalid_argument& e) {
    return print_fact("does not fit", e.what()), false;
  }
  print_classes(name, weights);
  print_fact("fits", name + " (" + std::string(atrous::implementation_of(name)) + ")");
  return true;
}

/// What a file lacks, has too much or has otherwise, at most `most` lines of each.
void print_differences(const atrous::weights_report& report, std::size_t most) {
  const auto print = [most](const char* what, const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < names.size() && i < most; ++i) print_fact(what, names[i]);
    if (names.size() > most) print_fact(what, "... and " + std::to_string(names.size() - most) + " more");
  };
  print("  missing", report.missing);
  print("  unexpected", report.unexpected);
  print("  unfit", report.unfit);
}

void print_fitting(const atrous::tensor_set& weights, int classes) {
  const std::vector<atrous::candidate> all = atrous::compare_with_all(weights, classes);
  std::string what = "fits";
  bool several = false;
  for (const atrous::candidate& c : all) {
    if (!c.fits()) continue;
    if (what == "fits") print_classes(c.network, weights);
    print_fact(what, c.network + " (" + c.implementation + ")");
    what = "or";
    for (const std::string& other : c.others) print_fact("or", other), several = true;
  }
  if (several) print_fact("", "(tensors do not tell which: output stride, rates, corner rule)");
  if (what == "or") return;
  const atrous::weights_report& best = all[0].report;
  const bool akin = best.unexpected.size() + static_cast<std::size_t>(best.ignored) < weights.tensors.size();
  print_fact("fits", akin ? "no published network; the nearest are" : "no published network");
  for (std::size_t i = 0; akin && i < all.size() && i < 3; ++i) {
    print_fact("", all[i].network + " (" + all[i].implementation + "): " + all[i].report.counts());
    if (i == 0) print_differences(best, 5);
  }
}

void inspect_weights(const settings& s) {
  const atrous::tensor_set weights = atrous::read_weights(s.weights);
  if (s.verify) atrous::verify_all(weights);
  if (s.csv) {
    print_tensors(weights);
  } else {
    print_contents(weights);
  }
  if (s.network.empty()) {
    if (!s.csv && !print_told(weights, s.classes)) print_fitting(weights, s.classes);
    return;
  }
  const std::string name = atrous::printable(s.network);
  const atrous::weights_report report =
      atrous::compare(name, atrous::network_for(name, weights, s.classes), weights);
  if (!s.csv) {
    print_fact(report.fits() ? "fits" : "does not fit",
               s.network + (report.fits() ? "" : ": " + report.counts()));
    print_differences(report, report.differences());
  }
  if (!report.fits()) throw atrous::weights_mismatch(report);
}

/// As policy P, one of those for CPUs, runs it on so many threads here.
template <class P>
void print_plan(const atrous::graph& g, int threads) {
  using element = typename P::element;
  const atrous::plan p = atrous::make_plan(
      g, 1, {.band_elements = P::band_elements(threads), .band_pixels = P::band_pixels(threads)});
  const auto how = [&](const atrous::step& made, atrous::shape x, atrous::shape y) {
    return atrous::cpu::text_of_cut<element>(atrous::simd::widest::get(), made, x, y, 1, threads);
  };
  std::cout << P::name << ": " << atrous::cpu::text_of_numbers<element>(atrous::simd::widest::get()) << '\n'
            << atrous::text_of(g, p, how);
}

void work(const settings& s, int threads) {
  if (s.paper) return print_paper(s.csv);
  if (!s.weights.empty()) return inspect_weights(s);
  const atrous::deeplab_options network = programs::network_without_weights(s.network, s.classes);
  const atrous::graph g = atrous::recorded(network, image_shape(s.size));
  if (s.plan) {
    if (s.policy == "openmp") {
      print_plan<atrous::openmp>(g, threads);
    } else {
      print_plan<atrous::openmp_half>(g, threads);
    }
  } else if (s.dot) {
    std::cout << atrous::dot_of(g, s.network + " at " + s.size);
  } else {
    print_layers(g, s.csv);
  }
}

}  // namespace

int main(int argc, char** argv) {
  programs::command_line line("inspect", "Looks at networks and files of weights.",
                              programs::with_network_names(help, example));
  settings s;
  add_options(line.app, s);
  return line.run(argc, argv, [&] {
    check_options(line.app, s);
    work(s, line.threads);
  });
}
