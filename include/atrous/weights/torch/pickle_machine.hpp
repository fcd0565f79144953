// SPDX-License-Identifier: MIT
#pragma once
// A pickle machine that executes nothing: it turns the opcodes into plain data. Time and memory are bounded by the
// length of the pickle: an opcode makes at most three values, and all containers together hold at most as many elements
// as the pickle has bytes.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <atrous/weights/printable.hpp>
#include <atrous/weights/torch/bytes.hpp>
#include <atrous/weights/torch/pickle_opcode.hpp>
#include <atrous/weights/torch/pickle_stack.hpp>
#include <atrous/weights/torch/pickle_value.hpp>
#include <atrous/weights/torch/torch_globals.hpp>

namespace atrous::pytorch {

/// Reads one pickle. The bytes must outlive what comes out.
class pickle_machine {
 public:
  explicit pickle_machine(std::span<const std::byte> bytes)
      : input_(bytes), length_(bytes.size()), globals_(out_, bytes.size()) {}
  pickle_machine(const pickle_machine&) = delete;
  pickle_machine& operator=(const pickle_machine&) = delete;

  /// The values up to STOP; to be called once. Throws std::invalid_argument with what was expected and found.
  pickled run() {
    for (;;) {
      const auto opcode = static_cast<pickle_opcode>(input_.number<std::uint8_t>());
      if (opcode == pickle_opcode::stop) break;
      if (!(number(opcode) || text(opcode) || constant(opcode) || memo(opcode) || container(opcode) ||
            fill(opcode) || call(opcode))) {
        fail("an opcode of pickle protocols 2 to 5 that tensors need",
             std::to_string(static_cast<int>(opcode)));
      }
    }
    out_.root = stack_.pop();
    return std::move(out_);
  }

  /// The bytes read so far.
  std::size_t position() const { return input_.position(); }

 private:
  [[noreturn]] static void fail(const std::string& expected, const std::string& found) {
    throw std::invalid_argument("expected " + expected + ", found " + found);
  }

  template <class Length>
  bool make_text() {
    return make(pickle_text{text_in(input_.bytes(input_.number<Length>()))});
  }

  bool push(pickle_index value) {
    stack_.push(value);
    return true;
  }
  bool make(const pickle_value& value) { return push(out_.add(value)); }

  bool constant(pickle_opcode opcode) {
    switch (opcode) {
      case pickle_opcode::none:
        return push(0);
      case pickle_opcode::newtrue:
        return push(1);
      case pickle_opcode::newfalse:
        return push(2);
      case pickle_opcode::empty_tuple:
        return push(3);
      case pickle_opcode::frame:  // how much may be read at once, which does not matter here
        input_.bytes(8);
        return true;
      case pickle_opcode::proto:
        if (const int protocol = input_.number<std::uint8_t>(); protocol > 5)
          fail("a pickle protocol up to 5", std::to_string(protocol));
        return true;
      default:
        return false;
    }
  }

  bool number(pickle_opcode opcode) {
    switch (opcode) {
      case pickle_opcode::binint:
        return make(pickle_integer{input_.number<std::int32_t>()});
      case pickle_opcode::binint1:
        return make(pickle_integer{input_.number<std::uint8_t>()});
      case pickle_opcode::binint2:
        return make(pickle_integer{input_.number<std::uint16_t>()});
      case pickle_opcode::long1:
        return make_long(input_.number<std::uint8_t>());
      case pickle_opcode::long4:
        return make_long(input_.number<std::uint32_t>());
      case pickle_opcode::binfloat:
        input_.bytes(8);
        return make(pickle_real{});
      default:
        return false;
    }
  }

  bool make_long(std::size_t count) {
    const auto digits = input_.bytes(count);
    if (count > sizeof(std::int64_t)) return make(pickle_long{text_in(digits)});
    std::int64_t value = count > 0 && std::to_integer<int>(digits.back()) > 127 ? -1 : 0;
    if (count > 0) std::memcpy(&value, digits.data(), count);
    return make(pickle_integer{value});
  }

  bool text(pickle_opcode opcode) {
    switch (opcode) {
      case pickle_opcode::binstring:
      case pickle_opcode::binunicode:
      case pickle_opcode::binbytes:
        return make_text<std::uint32_t>();
      case pickle_opcode::short_binstring:
      case pickle_opcode::short_binunicode:
      case pickle_opcode::short_binbytes:
        return make_text<std::uint8_t>();
      case pickle_opcode::binunicode8:
      case pickle_opcode::binbytes8:
      case pickle_opcode::bytearray8:
        return make_text<std::uint64_t>();
      default:
        return false;
    }
  }

  bool memo(pickle_opcode opcode) {
    switch (opcode) {
      case pickle_opcode::binput:
        return remember(input_.number<std::uint8_t>());
      case pickle_opcode::long_binput:
        return remember(input_.number<std::uint32_t>());
      case pickle_opcode::memoize:
        return remember(stack_.remembered());
      case pickle_opcode::binget:
        return recall(input_.number<std::uint8_t>());
      case pickle_opcode::long_binget:
        return recall(input_.number<std::uint32_t>());
      default:
        return false;
    }
  }

  bool remember(std::size_t key) {
    // Picklers count keys from 0 or 1, and a key costs at least a byte: the memo stays below the pickle's length.
    stack_.remember(key, position());
    return true;
  }
  bool recall(std::size_t key) {
    stack_.recall(key);
    return true;
  }

  bool container(pickle_opcode opcode) {
    switch (opcode) {
      case pickle_opcode::mark:
        stack_.mark();
        return true;
      case pickle_opcode::empty_dict:
        return make(pickle_container{pickle_form::dictionary});
      case pickle_opcode::empty_list:
      case pickle_opcode::empty_set:
        return make(pickle_container{pickle_form::list});
      case pickle_opcode::tuple:
      case pickle_opcode::frozenset:
        return make_tuple(stack_.take_marked());
      case pickle_opcode::tuple1:
        return make_tuple(stack_.take(1));
      case pickle_opcode::tuple2:
        return make_tuple(stack_.take(2));
      case pickle_opcode::tuple3:
        return make_tuple(stack_.take(3));
      case pickle_opcode::pop:
        stack_.discard();
        return true;
      case pickle_opcode::pop_mark:
        stack_.take_marked();
        return true;
      case pickle_opcode::dup:
        return push(stack_.top());
      default:
        return false;
    }
  }

  bool make_tuple(const std::vector<pickle_index>& elements) {
    pickle_container made{pickle_form::tuple};
    out_.extend(made, elements, length_);
    return make(made);
  }

  bool fill(pickle_opcode opcode) {
    switch (opcode) {
      case pickle_opcode::setitem:
        return fill_top(pickle_form::dictionary, stack_.take(2));
      case pickle_opcode::setitems:
        return fill_top(pickle_form::dictionary, stack_.take_marked());
      case pickle_opcode::append:
        return fill_top(pickle_form::list, stack_.take(1));
      case pickle_opcode::appends:
      case pickle_opcode::additems:
        return fill_top(pickle_form::list, stack_.take_marked());
      default:
        return false;
    }
  }

  bool fill_top(pickle_form form, const std::vector<pickle_index>& elements) {
    const pickle_index top = stack_.top();
    if (out_.as<pickle_opaque>(top) != nullptr) return true;
    auto* target = std::get_if<pickle_container>(&out_.values[top]);
    if (target == nullptr || target->form != form) {
      fail(form == pickle_form::list ? "a list to fill" : "a dictionary to fill", out_.description(top));
    }
    if (form == pickle_form::dictionary && elements.size() % 2 != 0)
      fail("a value for every key", "one key more");
    out_.extend(*target, elements, length_);
    return true;
  }

  bool call(pickle_opcode opcode) {
    switch (opcode) {
      case pickle_opcode::global: {
        const pickle_index module = out_.add(pickle_text{input_.line()}),
                           name = out_.add(pickle_text{input_.line()});
        return make(pickle_global{module, name});
      }
      case pickle_opcode::stack_global: {
        const auto parts = stack_.take(2);
        if (!out_.text(parts[0]) || !out_.text(parts[1]))
          fail("text as the name of a global", "something else");
        return make(pickle_global{parts[0], parts[1]});
      }
      case pickle_opcode::newobj_ex:
        stack_.pop();  // keyword arguments: no known name takes them
        [[fallthrough]];
      case pickle_opcode::reduce:
      case pickle_opcode::newobj: {
        const auto parts = stack_.take(2);
        return push(globals_.called(parts[0], parts[1]));
      }
      case pickle_opcode::
          build:  // the state of an object: of an OrderedDict its _metadata, of others no matter
        stack_.pop();
        stack_.top();
        return true;
      case pickle_opcode::binpersid:
        return push(globals_.persistent(stack_.pop()));
      default:
        return false;
    }
  }

  byte_reader input_;
  std::size_t length_;
  pickled out_;
  pickle_stack stack_;
  torch_globals globals_;
};

/// Reads the pickle that `bytes` begin with; `length`, where given, becomes its length. `source` is the file's name in
/// messages. Throws std::runtime_error, one line with the file, the byte, what was expected and what was found.
inline pickled read_pickle(std::span<const std::byte> bytes, std::string_view source,
                           std::size_t* length = nullptr) {
  pickle_machine machine(bytes);
  try {
    pickled out = machine.run();
    if (length != nullptr) *length = machine.position();
    return out;
  } catch (const std::invalid_argument& error) {
    throw std::runtime_error(printable_path(source) + ": pickle, before byte " +
                             std::to_string(machine.position()) + ": " + error.what());
  }
}

}  // namespace atrous::pytorch
