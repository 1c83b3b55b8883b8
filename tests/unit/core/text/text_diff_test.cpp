#include "core/text/text_diff.hpp"

#include <algorithm>
#include <random>
#include <sstream>
#include <vector>

#include "tests/catch.hpp"

using namespace kevolve;

namespace {

std::string diff(std::string_view a, std::string_view b, int context = 3) {
  return unified_diff(a, b, "a", "b", context);
}

/// `before` with a diff of unlimited context applied: its kept and added lines.
std::string applied(const std::string& text) {
  std::istringstream lines(text);
  std::string line, result;
  for (int i = 0; std::getline(lines, line); ++i) {
    if (i < 3 || line[0] == '-') continue;
    result += line.substr(1) + "\n";
  }
  return result;
}

std::string joined(const std::vector<int>& words) {
  std::string text;
  for (const int word : words) text += std::to_string(word) + "\n";
  return text;
}

/// Lines of the longest common subsequence, by the plain table.
std::size_t common(const std::vector<int>& a, const std::vector<int>& b) {
  std::vector<std::vector<std::size_t>> t(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < b.size(); ++j)
      t[i + 1][j + 1] = a[i] == b[j] ? t[i][j] + 1 : std::max(t[i][j + 1], t[i + 1][j]);
  }
  return t[a.size()][b.size()];
}

}  // namespace

TEST_CASE("equal texts do not differ") {
  CHECK(diff("", "").empty());
  CHECK(diff("x\ny\n", "x\ny\n").empty());
}

TEST_CASE("a changed line is shown with the lines around it, as diff -u does") {
  CHECK(diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n") ==
        "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
  CHECK(diff("1\n", "1\n2\n") == "--- a\n+++ b\n@@ -1 +1,2 @@\n 1\n+2\n");
  CHECK(diff("", "1\n") == "--- a\n+++ b\n@@ -0,0 +1 @@\n+1\n");
  CHECK(diff("1\n2\n", "") == "--- a\n+++ b\n@@ -1,2 +0,0 @@\n-1\n-2\n");
}

TEST_CASE("changes far from each other have hunks of their own") {
  const std::string a = "x\n1\n2\n3\n4\n5\n6\n7\ny\n";
  CHECK(diff(a, "X\n1\n2\n3\n4\n5\n6\n7\nY\n") ==
        "--- a\n+++ b\n@@ -1,4 +1,4 @@\n-x\n+X\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-y\n+Y\n");
  CHECK(diff(a, "X\n1\n2\n3\n4\n5\n6\n7\nY\n", 4).find("@@ -1,9 +1,9 @@") != std::string::npos);
}

TEST_CASE("a missing newline at the end is a difference, and marked") {
  CHECK(diff("1\n2\n", "1\n2") ==
        "--- a\n+++ b\n@@ -1,2 +1,2 @@\n 1\n-2\n+2\n\\ No newline at end of file\n");
}

TEST_CASE("the script is right and shortest for any two texts") {
  std::mt19937 random(3);
  for (int round = 0; round < 400; ++round) {
    std::vector<int> a(random() % 30), b(random() % 30);
    const auto alphabet = 1 + random() % 6;
    for (int& word : a) word = static_cast<int>(random() % alphabet);
    for (int& word : b) word = static_cast<int>(random() % alphabet);
    const std::string text = diff(joined(a), joined(b), 1000);
    INFO(joined(a) << "--\n" << joined(b) << "--\n" << text);
    if (a == b) {
      CHECK(text.empty());
      continue;
    }
    CHECK(applied(text) == joined(b));
    std::size_t changes = 0;
    std::istringstream lines(text);
    std::string line;
    for (int i = 0; std::getline(lines, line); ++i) changes += i > 2 && line[0] != ' ' ? 1 : 0;
    CHECK(changes == a.size() + b.size() - 2 * common(a, b));
  }
}

TEST_CASE("texts that have little in common are shown as replaced") {
  std::vector<int> a(3000), b(3000);
  for (int i = 0; i < 3000; ++i) {
    a[static_cast<std::size_t>(i)] = i;
    b[static_cast<std::size_t>(i)] = 10'000 + i;
  }
  const std::string text = diff(joined(a), joined(b));
  CHECK(text.starts_with("--- a\n+++ b\n@@ -1,3000 +1,3000 @@\n-0\n"));
}
