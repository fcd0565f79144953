// SPDX-License-Identifier: MIT
#pragma once
// Text into pictures: Fontconfig finds a font, FreeType draws it, smooth and placed by fractions of a pixel. Text is
// UTF-8, one line, left to right.
#include <fontconfig/fontconfig.h>
#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_OUTLINE_H

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <atrous/data/image.hpp>
#include <atrous/data/palettes/colour.hpp>
#include <atrous/weights/printable.hpp>

namespace atrous {

/// Takes the first character off UTF-8 text that is not empty; U+FFFD for a byte that begins none.
inline char32_t take_character(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : visible_utf8(text);
  char32_t character = length == 0 ? 0xfffd : length == 1 ? lead : lead & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i)
    character = character << 6 | (static_cast<unsigned char>(text[i]) & 0x3fu);
  text.remove_prefix(std::max<std::size_t>(length, 1));
  return character;
}

/// Where a font lies; some files hold several.
struct font_file {
  std::string path;
  int index = 0;
};

/// The machine's sans-serif font, or the one that has most of `characters` (UTF-8) where that one lacks some.
/// Throws std::runtime_error where Fontconfig knows no font with outlines.
inline font_file find_font(std::string_view characters = {}) {
  const std::unique_ptr<FcConfig, void (*)(FcConfig*)> config(FcInitLoadConfigAndFonts(), FcConfigDestroy);
  const std::unique_ptr<FcCharSet, void (*)(FcCharSet*)> wanted(FcCharSetCreate(), FcCharSetDestroy);
  const std::unique_ptr<FcPattern, void (*)(FcPattern*)> pattern(FcPatternCreate(), FcPatternDestroy);
  if (!config || !wanted || !pattern) throw std::runtime_error("Fontconfig cannot be initialised");
  while (!characters.empty()) FcCharSetAddChar(wanted.get(), take_character(characters));
  FcPatternAddString(pattern.get(), FC_FAMILY, reinterpret_cast<const FcChar8*>("sans-serif"));
  FcPatternAddBool(pattern.get(), FC_OUTLINE, FcTrue);
  FcPatternAddCharSet(pattern.get(), FC_CHARSET, wanted.get());
  FcConfigSubstitute(config.get(), pattern.get(), FcMatchPattern);
  FcDefaultSubstitute(pattern.get());
  FcResult result = FcResultNoMatch;
  const std::unique_ptr<FcPattern, void (*)(FcPattern*)> match(
      FcFontMatch(config.get(), pattern.get(), &result), FcPatternDestroy);
  FcChar8* path = nullptr;
  FcBool outline = FcFalse;
  if (!match || FcPatternGetString(match.get(), FC_FILE, 0, &path) != FcResultMatch ||
      FcPatternGetBool(match.get(), FC_OUTLINE, 0, &outline) != FcResultMatch || !outline) {
    throw std::runtime_error(
        "no font for text in pictures: Fontconfig found none with outlines; install one, such as Debian's "
        "package "
        "fonts-dejavu-core");
  }
  font_file found{reinterpret_cast<const char*>(path), 0};
  FcPatternGetInteger(match.get(), FC_INDEX, 0, &found.index);
  return found;
}

/// A font at one size. Its members may not run at the same time.
class font {
 public:
  /// Throws std::runtime_error, naming the file, where FreeType cannot read it.
  explicit font(const font_file& file = find_font()) {
    FT_Library opened = nullptr;
    if (FT_Init_FreeType(&opened) != 0) throw std::runtime_error("FreeType cannot be initialised");
    library.reset(opened);
    FT_Face read = nullptr;
    if (FT_New_Face(opened, file.path.c_str(), file.index, &read) != 0 || !FT_IS_SCALABLE(read)) {
      if (read != nullptr) FT_Done_Face(read);
      throw std::runtime_error(printable_path(file.path) + ": FreeType finds no font with outlines in it");
    }
    face.reset(read);
    set_size(12);
  }

  /// Pixels per em. Throws std::invalid_argument where it is not from 1 to 1000.
  void set_size(double pixels) {
    if (!(pixels >= 1 && pixels <= 1000)) {
      throw std::invalid_argument("expected a size of text from 1 to 1000 pixels, found " +
                                  std::to_string(pixels));
    }
    FT_Set_Char_Size(face.get(), 0, static_cast<FT_F26Dot6>(std::lround(pixels * 64)), 72, 72);
  }

  /// How many pixels the text advances.
  double width(std::string_view text) const {
    return walk(text, FT_LOAD_NO_HINTING, [](FT_GlyphSlot, double) {});
  }

  /// The height of a capital letter in pixels.
  double capital_height() const {
    if (FT_Load_Char(face.get(), 'H', FT_LOAD_NO_HINTING | FT_LOAD_NO_BITMAP) != 0) return 0;
    return static_cast<double>(face->glyph->metrics.horiBearingY) / 64;
  }

  /// Draws on an RGB picture from column `left` on, capitals standing on row `baseline`. What lies outside is cut off.
  void draw(image& on, double left, int baseline, std::string_view text, colour ink) const {
    require_image(on, 3, "picture");
    walk(text, FT_LOAD_TARGET_LIGHT, [&](FT_GlyphSlot glyph, double pen) {
      const double at = left + pen, column = std::floor(at);
      FT_Outline_Translate(&glyph->outline, std::lround((at - column) * 64), 0);
      if (FT_Render_Glyph(glyph, FT_RENDER_MODE_NORMAL) != 0) return;
      stamp(on, static_cast<int>(column) + glyph->bitmap_left, baseline - glyph->bitmap_top, glyph->bitmap,
            ink);
    });
  }

 private:
  struct release {
    void operator()(FT_Library opened) const { FT_Done_FreeType(opened); }
    void operator()(FT_Face read) const { FT_Done_Face(read); }
  };
  std::unique_ptr<FT_LibraryRec_, release> library;
  std::unique_ptr<FT_FaceRec_, release> face;

  /// Calls visit(glyph, pixels before it) for every character and returns the pixels of all.
  template <class Visit>
  double walk(std::string_view text, FT_Int32 flags, const Visit& visit) const {
    double pen = 0;
    FT_UInt previous = 0;
    while (!text.empty()) {
      const FT_UInt index = FT_Get_Char_Index(face.get(), take_character(text));
      FT_Vector kerning{};
      FT_Get_Kerning(face.get(), previous, index, FT_KERNING_UNFITTED, &kerning);
      previous = index;
      if (FT_Load_Glyph(face.get(), index, flags | FT_LOAD_NO_BITMAP) != 0) continue;
      pen += static_cast<double>(kerning.x) / 64;
      const double advance = static_cast<double>(face->glyph->linearHoriAdvance) / 65536;
      visit(face->glyph, pen);
      pen += advance;
    }
    return pen;
  }

  /// Lays ink on the picture, as dense as the grey bitmap says.
  static void stamp(image& on, int left, int top, const FT_Bitmap& bitmap, colour ink) {
    const std::uint8_t inks[] = {ink.red, ink.green, ink.blue};
    for (int i = std::max(0, -top); i < static_cast<int>(bitmap.rows) && top + i < on.height; ++i) {
      for (int j = std::max(0, -left); j < static_cast<int>(bitmap.width) && left + j < on.width; ++j) {
        const int density = bitmap.buffer[i * bitmap.pitch + j];
        std::uint8_t* rgb = &on.pixels[(static_cast<std::size_t>(top + i) * on.width + left + j) * 3];
        for (int c = 0; c < 3; ++c) {
          rgb[c] = static_cast<std::uint8_t>((rgb[c] * (255 - density) + inks[c] * density + 127) / 255);
        }
      }
    }
  }
};

}  // namespace atrous
