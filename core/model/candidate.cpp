#include "core/model/candidate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/model/field_checks.hpp"
#include "core/text/schema.hpp"

namespace kevolve {
namespace {

constexpr std::string_view kOpen = "/*kevolve";
constexpr std::string_view kRemedy =
    "expected the file to start with a comment \"/*kevolve { JSON } */\" that holds the idea and the launch "
    "plan";

struct HeaderSpan {
  std::size_t begin = 0, end = 0;  // of the JSON in the source
};

Result<HeaderSpan> find_header(std::string_view source) {
  std::size_t start = source.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  start = std::min(source.find_first_not_of(" \t\r\n", start), source.size());
  if (!source.substr(start).starts_with(kOpen)) {
    const std::size_t later = source.find(kOpen);
    if (later == std::string_view::npos) return failure(fmt::format("no header found; {}", kRemedy));
    const auto line =
        std::count(source.begin(), source.begin() + static_cast<std::ptrdiff_t>(later), '\n') + 1;
    return failure(fmt::format("the header stands in line {}, after other text; {}", line, kRemedy));
  }
  const std::size_t begin = start + kOpen.size();
  const std::size_t end = source.find("*/", begin);
  if (end == std::string_view::npos) return failure("the header has no end; expected \"*/\" after its JSON");
  return HeaderSpan{begin, end};
}

Fill fill_named(const std::string& name) {
  if (name == "zero") return Fill::zero;
  if (name == "-inf") return Fill::minus_infinity;
  return name == "inf" ? Fill::plus_infinity : Fill::none;
}

// Reads a header that its schema has accepted, and checks it against its operator.
class HeaderParser {
 public:
  HeaderParser(const Json& json, const Operator& op) : json_(json), op_(op) {
    for (const Axis& axis : op.axes) names_.insert(axis.name);
    for (const Scalar& scalar : op.scalars) {
      if (!is_floating(scalar.dtype)) names_.insert(scalar.name);
    }
    names_.insert("num_sms");
    for (const auto* group : {&op.inputs, &op.outputs}) {
      for (const TensorSpec& tensor : *group) buffers_.insert(tensor.name);
    }
  }

  Result<CandidateHeader> run() {
    header_.idea = json_["idea"];
    header_.precision = op_.precision;
    if (json_.contains("precision")) {
      header_.precision = *precision_from_name(json_["precision"].get<std::string>());
    }
    header_.deterministic = json_.value("deterministic", true);
    if (json_.contains("playbook")) header_.playbook = json_["playbook"];
    for (auto step : {&HeaderParser::tunables, &HeaderParser::constraints, &HeaderParser::scratch,
                      &HeaderParser::output_fill, &HeaderParser::launches, &HeaderParser::outputs_written}) {
      if (auto done = (this->*step)(); !done) return failure(done.error());
    }
    return std::move(header_);
  }

 private:
  [[nodiscard]] Json member(const char* key, Json otherwise) const {
    return json_.value(key, std::move(otherwise));
  }

  // Why a new macro or buffer may not have this name, or "".
  std::string clash(const std::string& name) const {
    if (const std::string reserved = reserved_reason(name); !reserved.empty()) return reserved;
    const auto is_name = [&](const auto& thing) { return thing.name == name; };
    if (std::any_of(op_.axes.begin(), op_.axes.end(), is_name)) return "is an axis of the operator";
    if (std::any_of(op_.scalars.begin(), op_.scalars.end(), is_name)) return "is a scalar of the operator";
    if (op_.tensor(name) != nullptr) return op_.is_input(name) ? "is an input" : "is an output";
    if (header_.tunables.contains(name)) return "is a tunable";
    return "";
  }

  Result<void> tunables() {
    const Json list = member("tunables", Json::object());
    for (const auto& [name, values] : list.items()) {
      if (const std::string reason = clash(name); !reason.empty()) {
        return failure(fmt::format("tunables.{}: the name {}; expected another name", name, reason));
      }
      std::vector<std::int64_t> allowed;
      for (std::size_t i = 0; i < values.size(); ++i) {
        const auto value = values[i].get<std::int64_t>();
        if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) {
          return failure(
              fmt::format("tunables.{}[{}]: {} is listed twice; expected different values", name, i, value));
        }
        allowed.push_back(value);
      }
      header_.tunables[name] = std::move(allowed);
      names_.insert(name);
    }
    return {};
  }

  Result<void> constraints() {
    auto list = expression_list(member("constraints", Json::array()), names_, "constraints");
    if (!list) return failure(list.error());
    header_.constraints = std::move(*list);
    return {};
  }

  static Result<void> check_fill(Fill fill, DType dtype, const std::string& field) {
    if ((fill != Fill::minus_infinity && fill != Fill::plus_infinity) || is_floating(dtype)) return {};
    return failure(
        fmt::format("{}: infinity has no value of dtype {}; expected \"zero\"", field, name(dtype)));
  }

  Result<void> scratch() {
    const Json list = member("scratch", Json::object());
    for (const auto& [name, json] : list.items()) {
      const std::string field = "scratch." + name;
      if (const std::string reason = clash(name); !reason.empty()) {
        return failure(fmt::format("{}: the name {}; expected another name", field, reason));
      }
      auto elements = expression_field(json["elements"], names_, field + ".elements");
      if (!elements) return failure(elements.error());
      const Scratch buffer{name, *dtype_from_name(json["dtype"].get<std::string>()), std::move(*elements),
                           fill_named(json.value("init", "none")),
                           json.value("alignment", std::int64_t{256})};
      if (auto fits = check_fill(buffer.init, buffer.dtype, field + ".init"); !fits) return fits;
      header_.scratch.push_back(buffer);
      buffers_.insert(name);
    }
    return {};
  }

  Result<void> output_fill() {
    const Json list = member("output_fill", Json::object());
    for (const auto& [name, json] : list.items()) {
      const std::string field = "output_fill." + name;
      if (op_.tensor(name) == nullptr || op_.is_input(name)) {
        Names outputs;
        for (const TensorSpec& output : op_.outputs) outputs.insert(output.name);
        return failure(
            fmt::format("{}: '{}' is not an output{}", field, name, suggestion(name, outputs, "outputs")));
      }
      const Fill fill = fill_named(json.get<std::string>());
      if (auto fits = check_fill(fill, op_.tensor(name)->dtype, field); !fits) return fits;
      header_.output_fill[name] = fill;
    }
    return {};
  }

  Result<void> launches() {
    for (const auto& [key, target] :
         {std::pair{"prepare", &header_.prepare}, std::pair{"launches", &header_.launches}}) {
      const Json list = member(key, Json::array());
      for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string field = fmt::format("{}[{}]", key, i);
        auto launch = read_launch(list[i], field);
        if (!launch) return failure(launch.error());
        if (target == &header_.prepare) {
          if (auto allowed = check_prepare(*launch, field); !allowed) return allowed;
        }
        target->push_back(std::move(*launch));
      }
    }
    return {};
  }

  Result<Launch> read_launch(const Json& json, const std::string& field) {
    Launch launch;
    launch.kernel = json["kernel"];
    for (const char* comment : {"//", "/*"}) {
      if (launch.kernel.find(comment) == std::string::npos) continue;
      return failure(
          fmt::format("{}.kernel: found '{}' in \"{}\"; expected a C++ name expression without comments",
                      field, comment, launch.kernel));
    }
    launch.cooperative = json.value("cooperative", false);
    for (const auto& [key, target] : {std::pair{"grid", &launch.grid}, std::pair{"block", &launch.block},
                                      std::pair{"cluster", &launch.cluster}}) {
      auto list = expression_list(json.value(key, Json::array()), names_, fmt::format("{}.{}", field, key));
      if (!list) return failure(list.error());
      *target = std::move(*list);
    }
    for (const auto& [key, target] : {std::pair{"shared_bytes", &launch.shared_bytes},
                                      std::pair{"max_registers", &launch.max_registers}}) {
      if (!json.contains(key)) continue;
      auto expression = expression_field(json[key], names_, fmt::format("{}.{}", field, key));
      if (!expression) return failure(expression.error());
      *target = std::move(*expression);
    }
    for (std::size_t i = 0; i < json["args"].size(); ++i) {
      auto argument = read_argument(json["args"][i], fmt::format("{}.args[{}]", field, i));
      if (!argument) return failure(argument.error());
      launch.arguments.push_back(std::move(*argument));
    }
    return launch;
  }

  Result<std::string> buffer_name(const Json& json, const std::string& field) const {
    const auto name = json.get<std::string>();
    if (buffers_.contains(name)) return name;
    if (!names_.contains(name)) {
      return failure(
          fmt::format("{}: unknown tensor '{}'{}", field, name, suggestion(name, buffers_, "tensors")));
    }
    return failure(fmt::format(
        "{}: '{}' is a number, not a tensor; expected {{\"i32\": \"{}\"}} or {{\"i64\": \"{}\"}} to "
        "pass it",
        field, name, name, name));
  }

  Result<Argument> read_argument(const Json& json, const std::string& field) {
    if (json.is_string()) {
      auto name = buffer_name(json, field);
      if (!name) return failure(name.error());
      return BufferArgument{std::move(*name)};
    }
    const std::string type = json.begin().key();
    const std::string inner = field + "." + type;
    if (type == "tensor_map") return tensor_map(json[type], inner);
    const DType dtype = *dtype_from_name(type);
    if (is_floating(dtype)) return RealArgument{dtype, json[type].get<double>()};
    auto value = expression_field(json[type], names_, inner);
    if (!value) return failure(value.error());
    return IntegerArgument{dtype, std::move(*value)};
  }

  Result<Argument> tensor_map(const Json& json, const std::string& field) {
    TensorMap map;
    auto tensor = buffer_name(json["tensor"], field + ".tensor");
    if (!tensor) return failure(tensor.error());
    map.tensor = std::move(*tensor);
    if (json.contains("dtype")) map.dtype = dtype_from_name(json["dtype"].get<std::string>());
    for (const auto& [key, target] :
         {std::pair{"dims", &map.dims}, std::pair{"strides_bytes", &map.strides_bytes},
          std::pair{"box", &map.box}}) {
      auto list = expression_list(json.value(key, Json::array()), names_, fmt::format("{}.{}", field, key));
      if (!list) return failure(list.error());
      *target = std::move(*list);
    }
    const std::size_t rank = map.dims.size();
    if (map.box.size() != rank || map.strides_bytes.size() + 1 != rank) {
      return failure(fmt::format(
          "{}: found {} dims, {} strides_bytes, {} box sizes; expected as many box sizes as dims, "
          "and one stride fewer",
          field, rank, map.strides_bytes.size(), map.box.size()));
    }
    map.swizzle = json.value("swizzle", "none");
    map.l2_promotion = json.value("l2_promotion", "none");
    map.out_of_bounds = json.value("out_of_bounds", "zero");
    return map;
  }

  static const std::string* buffer_of(const Argument& argument) {
    if (const auto* pointer = std::get_if<BufferArgument>(&argument)) return &pointer->tensor;
    if (const auto* map = std::get_if<TensorMap>(&argument)) return &map->tensor;
    return nullptr;
  }

  Result<void> check_prepare(const Launch& launch, const std::string& field) const {
    for (std::size_t i = 0; i < launch.arguments.size(); ++i) {
      const std::string* buffer = buffer_of(launch.arguments[i]);
      const TensorSpec* tensor = buffer == nullptr ? nullptr : op_.tensor(*buffer);
      if (tensor == nullptr || tensor->constant) continue;  // a number, scratch, or a constant input
      return failure(
          fmt::format("{}.args[{}]: '{}' is {}; expected constant inputs and scratch only, since `prepare` "
                      "runs once for many calls",
                      field, i, *buffer,
                      op_.is_input(*buffer) ? "an input that changes from call to call" : "an output"));
    }
    return {};
  }

  Result<void> outputs_written() {
    for (const TensorSpec& output : op_.outputs) {
      const auto passes = [&](const Argument& argument) {
        const std::string* buffer = buffer_of(argument);
        return buffer != nullptr && *buffer == output.name;
      };
      const bool written =
          std::any_of(header_.launches.begin(), header_.launches.end(), [&](const Launch& launch) {
            return std::any_of(launch.arguments.begin(), launch.arguments.end(), passes);
          });
      if (written) continue;
      return failure(
          fmt::format("launches: output '{}' is no argument of any launch; expected a launch that writes it",
                      output.name));
    }
    return {};
  }

  const Json& json_;
  const Operator& op_;
  CandidateHeader header_;
  Names names_, buffers_;
};

}  // namespace

Result<std::string> header_text(std::string_view source) {
  const Result<HeaderSpan> span = find_header(source);
  if (!span) return failure(span.error());
  return std::string(source.substr(span->begin, span->end - span->begin));
}

Result<CandidateHeader> parse_candidate(std::string_view source, const Operator& op, std::string_view where) {
  const Result<HeaderSpan> span = find_header(source);
  if (!span) return failure(span.error().in(where));
  // What stands before the JSON becomes white space, so that errors count the file's own lines and columns.
  std::string text(source.substr(0, span->end));
  for (std::size_t i = 0; i < span->begin; ++i) {
    if (text[i] != '\n') text[i] = ' ';
  }
  const Result<Json> json = parse_json(text, where);
  if (!json) return failure(json.error());
  if (auto valid = validate(*json, "candidate", where); !valid) return failure(valid.error());
  Result<CandidateHeader> header = HeaderParser(*json, op).run();
  if (!header) return failure(header.error().in(where));
  return header;
}

Bindings default_tunables(const CandidateHeader& header) {
  Bindings defaults;
  for (const auto& [name, values] : header.tunables) defaults[name] = values.front();
  return defaults;
}

}  // namespace kevolve
