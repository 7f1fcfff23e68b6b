// Texts that others wrote (titles, failures, what a program said of itself) where they are shown.
#pragma once

#include <string>

namespace twinbox::compare {

// One line without control characters: a terminal obeys them.
std::string printable(const std::string& text);

// The same for Markdown, where "<" begins an element and other characters a cell, code or a link.
std::string markdown_text(const std::string& text);
// Code in a line of Markdown, whatever backticks it holds.
std::string markdown_code(const std::string& text);

// "1 outlier", "2 outliers".
std::string counted(std::size_t count, const std::string& noun);

}  // namespace twinbox::compare
