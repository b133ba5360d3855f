// SQLite, as far as snapshots need it.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>

namespace tarn::sight {

class DatabaseError : public std::runtime_error {
 public:
  DatabaseError(int code, const std::string& text) : std::runtime_error(text), code_(code) {}
  [[nodiscard]] int code() const noexcept { return code_; }

 private:
  int code_;
};

// Whoever asked for the work doesn't want it any longer.
class CalledOff : public std::exception {};

class Database {
 public:
  // An existing file; it may be empty. Throws DatabaseError, as all here.
  Database(const std::string& path, int flags) {
    const int code = ::sqlite3_open_v2(path.c_str(), &handle_, flags, nullptr);
    if (code != SQLITE_OK) {
      const std::string text = handle_ == nullptr ? "out of memory" : ::sqlite3_errmsg(handle_);
      ::sqlite3_close(handle_);
      throw DatabaseError(code, text);
    }
    ::sqlite3_extended_result_codes(handle_, 1);
  }
  ~Database() { ::sqlite3_close(handle_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const std::string& sql) {
    check(::sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr));
  }

  void check(int code) const {
    if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE) {
      throw DatabaseError(code, ::sqlite3_errmsg(handle_));
    }
  }
  [[nodiscard]] sqlite3* handle() const { return handle_; }

  // Asked before each row; null: nobody is.
  void be_called_off_by(bool (*is_called_off)()) { is_called_off_ = is_called_off; }
  void expect_wanted() const {
    if (is_called_off_ != nullptr && is_called_off_()) {
      throw CalledOff();
    }
  }

 private:
  sqlite3* handle_ = nullptr;
  bool (*is_called_off_)() = nullptr;
};

// A prepared statement that is run for many rows: insert(1, "text", Null()).
struct Null {};

class Statement {
 public:
  Statement(const Database& database, const std::string& sql) : database_(database) {
    database.check(::sqlite3_prepare_v2(database.handle(), sql.c_str(), -1, &handle_, nullptr));
  }
  ~Statement() { ::sqlite3_finalize(handle_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  template <typename... Values>
  void run(const Values&... values) {
    database_.expect_wanted();
    int position = 0;
    (bind(++position, values), ...);
    const int code = ::sqlite3_step(handle_);
    ::sqlite3_reset(handle_);
    database_.check(code);
  }

  // Of a query that gives one number.
  [[nodiscard]] std::int64_t number() {
    const int code = ::sqlite3_step(handle_);
    const std::int64_t value = code == SQLITE_ROW ? ::sqlite3_column_int64(handle_, 0) : 0;
    ::sqlite3_reset(handle_);
    database_.check(code);
    return value;
  }

 private:
  void bind(int position, Null /*value*/) {
    database_.check(::sqlite3_bind_null(handle_, position));
  }
  void bind(int position, double value) {
    database_.check(::sqlite3_bind_double(handle_, position, value));
  }
  void bind(int position, const std::string& text) {
    database_.check(::sqlite3_bind_text(handle_, position, text.data(),
                                        static_cast<int>(text.size()), SQLITE_STATIC));
  }
  void bind(int position, const char* text) {
    database_.check(::sqlite3_bind_text(handle_, position, text, -1, SQLITE_STATIC));
  }
  template <typename Number>
  requires std::is_integral_v<Number>
  void bind(int position, Number value) {
    database_.check(::sqlite3_bind_int64(handle_, position, static_cast<std::int64_t>(value)));
  }
  struct Maybe {
    bool there;
    std::int64_t value;
  };
  void bind(int position, const Maybe& value) {
    if (value.there) {
      bind(position, value.value);
    } else {
      bind(position, Null());
    }
  }

 public:
  // Null unless it is there.
  template <typename Number>
  [[nodiscard]] static Maybe maybe(bool there, Number value) {
    return {there, static_cast<std::int64_t>(value)};
  }

 private:
  const Database& database_;
  sqlite3_stmt* handle_ = nullptr;
};

}  // namespace tarn::sight
