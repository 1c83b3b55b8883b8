#include "core/model/operator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/model/field_checks.hpp"
#include "core/model/reference_signature.hpp"
#include "core/model/subjects.hpp"
#include "core/text/schema.hpp"

namespace kevolve {
namespace {

constexpr std::int64_t kMaxElements = std::int64_t{1} << 40;

std::string text_of(const Json& text_or_lines) {
  if (text_or_lines.is_string()) return text_or_lines.get<std::string>();
  std::string text;
  for (const Json& line : text_or_lines) text += line.get<std::string>() + "\n";
  return text;
}

// Reads a document that its schema has accepted, and checks what a schema cannot say.
class OperatorParser {
 public:
  OperatorParser(const Json& document, std::string_view where) : document_(document), where_(where) {}

  Result<Operator> run() {
    op_.name = document_["name"];
    op_.description = document_["description"];
    op_.precision = *precision_from_name(document_["precision"].get<std::string>());
    if (const auto rounded = document_.find("intermediates"); rounded != document_.end())
      op_.intermediates = *dtype_from_name(rounded->get<std::string>());
    op_.document = document_;
    for (auto step : {&OperatorParser::axes, &OperatorParser::scalars, &OperatorParser::tensors,
                      &OperatorParser::reference, &OperatorParser::workloads, &OperatorParser::distributions,
                      &OperatorParser::cost}) {
      const Result<void> done = (this->*step)();
      if (!done) return failure(done.error().in(where_));
    }
    return std::move(op_);
  }

 private:
  Result<void> declare(const std::string& name, const std::string& field) {
    const std::string reserved = reserved_reason(name);
    if (!reserved.empty()) {
      return failure(fmt::format("{}.{}: the name {}; expected another name", field, name, reserved));
    }
    if (!declared_.insert(name).second) {
      return failure(
          fmt::format("{}.{}: the name is already used; expected different names for all axes, scalars, "
                      "inputs and outputs",
                      field, name));
    }
    return {};
  }

  Result<void> axes() {
    for (const auto& [name, json] : document_["axes"].items()) {
      if (auto declared = declare(name, "axes"); !declared) return declared;
      const AxisKind kind = json["kind"] == "variable" ? AxisKind::variable : AxisKind::constant;
      op_.axes.push_back({name, kind, json.value("description", "")});
      axis_names_.insert(name);
    }
    return {};
  }

  Result<void> scalars() {
    if (!document_.contains("scalars")) return {};
    for (const auto& [name, json] : document_["scalars"].items()) {
      if (auto declared = declare(name, "scalars"); !declared) return declared;
      const Scalar scalar{name, *dtype_from_name(json["dtype"].get<std::string>()),
                          json["value"].get<double>()};
      const double limit = scalar.dtype == DType::f32   ? double{std::numeric_limits<float>::max()}
                           : scalar.dtype == DType::f64 ? std::numeric_limits<double>::max()
                           : scalar.dtype == DType::i32 ? 2147483647.0
                                                        : 9007199254740992.0;
      const bool whole = is_floating(scalar.dtype) || scalar.value == std::floor(scalar.value);
      if (!whole || std::fabs(scalar.value) > limit) {
        return failure(
            fmt::format("scalars.{}.value: found {}; expected {} of magnitude at most {} (dtype {})", name,
                        json["value"].dump(), is_floating(scalar.dtype) ? "a number" : "a whole number",
                        limit, kevolve::name(scalar.dtype)));
      }
      op_.scalars.push_back(scalar);
    }
    return {};
  }

  Result<void> tensors() {
    for (const char* group : {"inputs", "outputs"}) {
      for (const auto& [name, json] : document_[group].items()) {
        if (auto declared = declare(name, group); !declared) return declared;
        auto shape = expression_list(json["shape"], axis_names_, fmt::format("{}.{}.shape", group, name));
        if (!shape) return failure(shape.error());
        TensorSpec tensor{name, *dtype_from_name(json["dtype"].get<std::string>()), std::move(*shape),
                          json.value("constant", false)};
        (group == std::string_view("inputs") ? op_.inputs : op_.outputs).push_back(std::move(tensor));
      }
    }
    return {};
  }

  Result<void> reference() {
    const Json& json = document_["reference"];
    if (json.is_object()) {
      return failure(
          "reference: names a file, but the document came without a folder; expected the text itself");
    }
    op_.reference = text_of(json);
    if (auto checked = check_signature(op_.reference, "reference"); !checked) return checked;
    if (!document_.contains("baselines")) return {};
    for (const auto& [name, text] : document_["baselines"].items()) {
      if (name == subjects::kEager) {
        return failure("baselines.eager: always there, it is the reference itself; expected another name");
      }
      if (subjects::is_taken(name)) {
        return failure(
            fmt::format("baselines.{}: means something else in measurements; expected another name", name));
      }
      op_.baselines.push_back({name, text_of(text)});
      auto checked = check_signature(op_.baselines.back().torchscript, "baselines." + name);
      if (!checked) return checked;
    }
    return {};
  }

  Result<void> check_signature(const std::string& text, const std::string& field) {
    const Result<std::vector<std::string>> parameters = forward_parameters(text);
    if (!parameters) return failure(parameters.error().in(field));
    for (const std::string& parameter : *parameters) {
      const bool output = op_.tensor(parameter) != nullptr && !op_.is_input(parameter);
      if (declared_.contains(parameter) && !output) continue;
      Names known = declared_;
      for (const TensorSpec& tensor : op_.outputs) known.erase(tensor.name);
      return failure(fmt::format("{}: parameter '{}' of forward is {}{}", field, parameter,
                                 output ? "an output; expected inputs, scalars and axes" : "unknown",
                                 suggestion(parameter, known, "parameters")));
    }
    for (const TensorSpec& input : op_.inputs) {
      if (std::find(parameters->begin(), parameters->end(), input.name) != parameters->end()) continue;
      return failure(
          fmt::format("{}: forward has no parameter '{}'; expected every input as a parameter of that name",
                      field, input.name));
    }
    return {};
  }

  Result<void> workloads() {
    for (const auto& [name, json] : document_["workloads"].items()) {
      const std::string field = "workloads." + name;
      Workload workload{name, {}, {}};
      for (const auto& [axis, size] : json["axes"].items()) {
        if (auto known = check_axis(axis, field + ".axes"); !known) return known;
        workload.axes[axis] = size.get<std::int64_t>();
      }
      for (const Axis& axis : op_.axes) {
        if (workload.axes.contains(axis.name)) continue;
        return failure(
            fmt::format("{}.axes: missing axis '{}'; expected a size for every axis", field, axis.name));
      }
      if (auto sizes = check_shapes(workload.axes, field + ".axes"); !sizes) return sizes;
      if (json.contains("holdouts")) {
        if (auto read = holdouts(json["holdouts"], field + ".holdouts", workload); !read) return read;
      }
      op_.workloads.push_back(std::move(workload));
    }
    if (op_.workload("small") == nullptr) {
      return failure(
          "workloads: missing key 'small'; expected a workload of that name, for machines without a GPU");
    }
    return {};
  }

  Result<void> holdouts(const Json& json, const std::string& list, Workload& workload) {
    for (std::size_t i = 0; i < json.size(); ++i) {
      const std::string field = fmt::format("{}[{}]", list, i);
      Bindings overrides, merged = workload.axes;
      for (const auto& [axis, size] : json[i].items()) {
        if (auto known = check_axis(axis, field); !known) return known;
        const auto same = [&wanted = axis](const Axis& other) { return other.name == wanted; };
        if (std::find_if(op_.axes.begin(), op_.axes.end(), same)->kind != AxisKind::variable) {
          return failure(
              fmt::format("{}.{}: the axis is constant; expected variable axes only", field, axis));
        }
        merged[axis] = overrides[axis] = size.get<std::int64_t>();
      }
      if (overrides.empty())
        return failure(field + ": found {}; expected the size of at least one variable axis");
      if (auto sizes = check_shapes(merged, field); !sizes) return sizes;
      workload.holdouts.push_back(std::move(overrides));
    }
    return {};
  }

  Result<void> check_axis(const std::string& axis, const std::string& field) {
    if (axis_names_.contains(axis)) return {};
    return failure(
        fmt::format("{}: unknown axis '{}'{}", field, axis, suggestion(axis, axis_names_, "axes")));
  }

  Result<void> check_shapes(const Bindings& axes, const std::string& field) {
    for (const auto* tensors : {&op_.inputs, &op_.outputs}) {
      for (const TensorSpec& tensor : *tensors) {
        if (auto shape = shape_at(tensor, axes); !shape) return failure(shape.error().in(field));
      }
    }
    return {};
  }

  Result<void> distributions() {
    std::vector<std::string> timed;
    for (const auto& [name, json] : document_["distributions"].items()) {
      Distribution distribution{name, {}, json.value("timed", false)};
      if (distribution.timed) timed.push_back(name);
      const std::string field = fmt::format("distributions.{}.draws", name);
      for (const auto& [input, draw] : json["draws"].items()) {
        auto read = this->draw(draw, input, field);
        if (!read) return failure(read.error());
        distribution.draws[input] = std::move(*read);
      }
      for (const TensorSpec& input : op_.inputs) {
        if (distribution.draws.contains(input.name) || distribution.draws.contains("*")) continue;
        return failure(
            fmt::format("{}: input '{}' is not drawn; expected an entry for it, or '*'", field, input.name));
      }
      op_.distributions.push_back(std::move(distribution));
    }
    if (timed.size() == 1) return {};
    return failure(
        fmt::format("distributions: {} of them have \"timed\": true; expected exactly one", timed.size()));
  }

  Result<InputDraw> draw(const Json& json, const std::string& input, const std::string& draws) {
    if (input != "*" && !op_.is_input(input)) {
      Names inputs{"*"};
      for (const TensorSpec& tensor : op_.inputs) inputs.insert(tensor.name);
      return failure(
          fmt::format("{}: unknown input '{}'{}", draws, input, suggestion(input, inputs, "inputs")));
    }
    InputDraw draw{json["kind"].get<std::string>(), {}};
    for (const auto& [parameter, value] : json.items()) {
      if (parameter != "kind") draw.parameters[parameter] = value.get<double>();
    }
    for (const auto& [low, high] : {std::pair{"low", "high"}, std::pair{"low_exponent", "high_exponent"}}) {
      const auto from = draw.parameters.find(low), to = draw.parameters.find(high);
      if (from == draw.parameters.end() || to == draw.parameters.end() || from->second <= to->second)
        continue;
      return failure(fmt::format("{}.{}: {} {} is above {} {}; expected it below or equal", draws, input, low,
                                 from->second, high, to->second));
    }
    return draw;
  }

  Result<void> cost() {
    for (const auto& [name, target] : {std::pair{"bytes", &op_.bytes}, std::pair{"flops", &op_.flops}}) {
      auto expression = expression_field(document_["cost"][name], axis_names_, fmt::format("cost.{}", name));
      if (!expression) return failure(expression.error());
      for (const Workload& workload : op_.workloads) {
        const auto value = expression->evaluate(workload.axes);
        if (!value)
          return failure(value.error().in(fmt::format("cost.{} at workload {}", name, workload.name)));
        if (*value >= 0) continue;
        return failure(
            fmt::format("cost.{}: is {} at workload {}; expected at least 0", name, *value, workload.name));
      }
      *target = std::move(*expression);
    }
    return {};
  }

  const Json& document_;
  std::string where_;
  Operator op_;
  Names axis_names_, declared_;
};

}  // namespace

const Workload* Operator::workload(std::string_view wanted) const {
  const auto found = std::find_if(workloads.begin(), workloads.end(),
                                  [&](const Workload& workload) { return workload.name == wanted; });
  return found == workloads.end() ? nullptr : &*found;
}

const TensorSpec* Operator::tensor(std::string_view wanted) const {
  for (const auto* group : {&inputs, &outputs}) {
    for (const TensorSpec& tensor : *group) {
      if (tensor.name == wanted) return &tensor;
    }
  }
  return nullptr;
}

bool Operator::is_input(std::string_view wanted) const {
  return std::any_of(inputs.begin(), inputs.end(),
                     [&](const TensorSpec& input) { return input.name == wanted; });
}

Result<Operator> parse_operator(const Json& document, std::string_view where) {
  if (auto valid = validate(document, "operator", where); !valid) return failure(valid.error());
  Result<Operator> op = OperatorParser(document, where).run();
  if (op) op->document.erase("playbook");
  return op;
}

Result<std::vector<std::filesystem::path>> Operator::candidate_files() const {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    if (file.path().extension() == ".cu") files.push_back(file.path());
  }
  if (error)
    return failure(
        fmt::format("{}: cannot list the operator's folder: {}", folder.string(), error.message()));
  files.insert(files.end(), shared_candidates.begin(), shared_candidates.end());
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.filename() < b.filename(); });
  const auto twice = std::adjacent_find(
      files.begin(), files.end(), [](const auto& a, const auto& b) { return a.filename() == b.filename(); });
  if (twice != files.end())
    return failure(fmt::format("operator.json: playbook: {} and {} have the same name; expected one of them",
                               twice->string(), std::next(twice)->string()));
  return files;
}

std::filesystem::path Operator::naive_file() const {
  for (const std::filesystem::path& file : shared_candidates) {
    if (file.filename() == "naive.cu") return file;
  }
  return folder / "naive.cu";
}

Result<Operator> load_operator(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "operator.json";
  Result<Json> document = read_json_file(file);
  if (!document) return failure(document.error());
  // Inlined, so that the document is complete wherever it travels.
  if (document->is_object() && document->contains("reference") && (*document)["reference"].is_object()) {
    if (auto valid = validate(*document, "operator", file.string()); !valid) return failure(valid.error());
    const auto text = read_text_file(folder / (*document)["reference"]["file"].get<std::string>());
    if (!text) return failure(text.error().in(file.string() + ": reference.file"));
    (*document)["reference"] = *text;
  }
  Result<Operator> op = parse_operator(*document, file.string());
  if (!op) return op;
  op->folder = folder;
  for (const Json& shared : document->value("playbook", Json::array()))
    op->shared_candidates.push_back((folder / shared.get<std::string>()).lexically_normal());
  return op;
}

Result<std::vector<std::int64_t>> shape_at(const TensorSpec& tensor, const Bindings& axes) {
  std::vector<std::int64_t> shape;
  std::int64_t elements = 1;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    const Result<std::int64_t> size = tensor.shape[i].evaluate(axes);
    if (!size) return failure(size.error().in(fmt::format("shape of {}", tensor.name)));
    if (*size < 1) {
      return failure(fmt::format("shape of {}: dimension {} (\"{}\") is {}; expected at least 1", tensor.name,
                                 i, tensor.shape[i].text(), *size));
    }
    if (__builtin_mul_overflow(elements, *size, &elements) || elements > kMaxElements) {
      return failure(
          fmt::format("shape of {}: more than 2^40 elements; expected a smaller tensor", tensor.name));
    }
    shape.push_back(*size);
  }
  return shape;
}

}  // namespace kevolve
