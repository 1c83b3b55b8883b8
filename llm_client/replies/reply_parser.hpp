#pragma once
// What a model's reply holds. Forgives what is forgivable (fences or none, prose around, several blocks,
// reasoning fields and tags, CRLF, a byte-order mark, trailing commas, comments) and says precisely what is
// not, in words that the model can act on. Pure; never throws; linear in the reply's length.

#include <string>
#include <string_view>
#include <vector>

#include "core/search/idea.hpp"
#include "llm_client/chat.hpp"

namespace kevolve::llm {

struct IdeasReply {
  std::vector<search::Idea> ideas;      ///< of key "", in the reply's order
  std::vector<std::string> complaints;  ///< about entries that were left out
};

/// The ideas of a reply to the prompt `ideas`; an Error when there is none. At most `most` are kept.
Result<IdeasReply> parse_ideas(std::string_view text, Finish finish, std::size_t most);

struct CandidatesReply {
  std::vector<std::string> sources;  ///< whole .cu files that begin with their header comment
  std::vector<std::string> complaints;
};

/// The candidate files of a reply; an Error when there is none ("the reply breaks off at its length limit in
/// the middle of the code: …"). Sources are not yet checked against an operator.
Result<CandidatesReply> parse_candidates(std::string_view text, Finish finish);

}  // namespace kevolve::llm
