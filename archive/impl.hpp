#pragma once
// Archive::Impl, shared by the source files of the archive: the connection, and the one way in which every
// public function runs: within a scope, its failures turned into an Error that names the file.

#include <type_traits>
#include <utility>

#include "archive/archive.hpp"
#include "archive/connection.hpp"
#include "archive/statement.hpp"
#include "archive/writer_lock.hpp"

namespace kevolve::archive {

struct Archive::Impl {
  Impl(const std::filesystem::path& path, OpenMode open_mode, ArchiveOptions archive_options);

  [[nodiscard]] Timestamp now() const { return options.clock(); }

  /// Runs `body` on one consistent snapshot.
  template <class Body>
  auto read(Body&& body) {
    return guarded(connection.path(), [&] { return scoped(Scope::Kind::read, body); });
  }
  /// Runs `body` in one transaction (a savepoint while a Transaction is open).
  template <class Body>
  auto write(Body&& body) {
    return guarded(connection.path(), [&] {
      require_writable();
      return scoped(Scope::Kind::write, body);
    });
  }

  /// `body`'s value, or its exception as an Error.
  template <class Body>
  static auto guarded(const std::filesystem::path& path, Body&& body) -> Result<std::invoke_result_t<Body>> {
    try {
      if constexpr (std::is_void_v<std::invoke_result_t<Body>>) {
        body();
        return {};
      } else {
        return body();
      }
    } catch (const ArchiveFailure& error) {
      return failure(Error{error.what()}.in("archive '" + path.string() + "'"));
    } catch (const Json::exception& error) {
      return failure(Error{error.what()}.in("archive '" + path.string() + "': a row holds unexpected JSON"));
    }
  }

  Connection connection;
  OpenMode mode;
  ArchiveOptions options;
  std::optional<WriterLock> lock;  ///< of a writer
  bool grouping = false;           ///< a Transaction is open

 private:
  void require_writable() const;

  template <class Body>
  auto scoped(Scope::Kind kind, Body& body) {
    Scope scope(connection, kind);
    if constexpr (std::is_void_v<std::invoke_result_t<Body>>) {
      body();
      scope.commit();
    } else {
      auto value = body();
      scope.commit();
      return value;
    }
  }
};

}  // namespace kevolve::archive
