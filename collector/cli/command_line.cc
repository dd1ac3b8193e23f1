// The only unit that includes CLI11.
#include "collector/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "collector/cli/commands.h"

namespace forewarn::cli {
namespace {

// Everything options are read into; lives as long as the command.
struct Options {
  std::string format = "table";
  EndpointListOptions endpoints;
  TicketListOptions tickets;
  SymptomListOptions symptoms;
  std::string name;
  uint32_t id = 0;
  std::string text;
  std::string path;
  double since_seconds = 7 * 86400;
  v1::CreateTokenRequest token;
  std::string token_kind = "enroll";
  std::string token_name;
  std::string token_site;
  std::string token_role;
  std::vector<std::string> token_tags;
  uint32_t token_hours = 0;
};

using Run = std::function<absl::Status(Session&)>;

class Grammar {
 public:
  Grammar() : options_(std::make_shared<Options>()) {
    app_.description(
        "Forewarn on the command line. Speaks to the collector's "
        "HTTPS API.");
    app_.name("forewarn");
    app_.set_version_flag("--version",
                          std::string("forewarn ") + FOREWARN_VERSION);
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.add_option("-o,--output", options_->format, "table, json or yaml")
        ->check(CLI::IsMember({"table", "json", "yaml"}));
    app_.footer(
        "The collector's address and the token stand in $FOREWARN_CONFIG, else "
        "in\n$XDG_CONFIG_HOME/forewarn/cli.yaml. Exit codes: 0 good, 1 "
        "failure, 2 usage,\n4 sign-in needed, 5 not found, 6 conflict, 7 "
        "unreachable, 8 check failed.");
    Endpoints();
    Tickets();
    Symptoms();
    Tokens();
    Rules();
    Leaf(&app_, "doctor", "check configuration, connection and collector",
         [](Session& session) { return Doctor(session); });
  }

  CLI::App& app() { return app_; }
  const Options& options() const { return *options_; }
  Run run() const { return run_; }

 private:
  CLI::App* Noun(const char* name, const char* about) {
    CLI::App* noun = app_.add_subcommand(name, about);
    noun->require_subcommand(1);
    noun->fallthrough();
    return noun;
  }

  CLI::App* Leaf(CLI::App* parent, const char* name, const char* about,
                 Run run) {
    CLI::App* leaf = parent->add_subcommand(name, about);
    leaf->fallthrough();
    leaf->callback([this, run = std::move(run)] { run_ = run; });
    return leaf;
  }

  static void Limit(CLI::App* leaf, uint32_t& limit) {
    leaf->add_option("--limit", limit, "how many rows at most")
        ->capture_default_str()
        ->check(CLI::Range(1u, 1000000u));
  }

  void Endpoints() {
    Options& options = *options_;
    CLI::App* noun = Noun("endpoint", "monitored machines");
    CLI::App* list =
        Leaf(noun, "list", "list endpoints", [&options](Session& session) {
          return ListEndpoints(session, options.endpoints);
        });
    list->add_option("--site", options.endpoints.site, "only of this site");
    Limit(list, options.endpoints.limit);
    CLI::App* show = Leaf(noun, "show", "show one with what stands open on it",
                          [&options](Session& session) {
                            return ShowEndpoint(session, options.name);
                          });
    show->add_option("ENDPOINT", options.name, "id, number or host name")
        ->required();
  }

  void Tickets() {
    Options& options = *options_;
    CLI::App* noun = Noun("ticket", "work for people");
    CLI::App* list = Leaf(noun, "list", "list tickets, newest first",
                          [&options](Session& session) {
                            return ListTickets(session, options.tickets);
                          });
    CLI::Option* state =
        list->add_option("--state", options.tickets.state,
                         "open, or of new, acknowledged, in_progress, "
                         "waiting, resolved, closed with commas between")
            ->capture_default_str();
    list->add_flag("--all", options.tickets.all, "in every state")
        ->excludes(state);
    list->add_option("--endpoint", options.tickets.endpoint,
                     "only of this endpoint");
    list->add_option("--assignee", options.tickets.assignee,
                     "only of this person");
    Limit(list, options.tickets.limit);

    CLI::App* show = Leaf(noun, "show", "show one with evidence and history",
                          [&options](Session& session) {
                            return ShowTicket(session, options.id);
                          });
    Id(show);
    CLI::App* assign =
        Leaf(noun, "assign", "give a ticket to somebody",
             [&options](Session& session) {
               return AssignTicket(session, options.id, options.name);
             });
    Id(assign);
    assign->add_option("WHO", options.name, "name of the person")->required();
    Verb(noun, "acknowledge", "take note of a ticket", false);
    Verb(noun, "comment", "add a comment", true);
    Verb(noun, "resolve", "say that the work is done", false);
    Verb(noun, "reopen", "say that it is not", false);
  }

  void Id(CLI::App* leaf) {
    leaf->add_option("ID", options_->id, "number")
        ->required()
        ->check(CLI::Range(1u, 4294967295u));
  }

  void Verb(CLI::App* noun, const char* verb, const char* about,
            bool needs_text) {
    Options& options = *options_;
    CLI::App* leaf =
        Leaf(noun, verb, about, [&options, verb](Session& session) {
          return ChangeTicket(session, verb, options.id, options.text);
        });
    Id(leaf);
    leaf->add_option("TEXT", options.text, "comment; - reads standard input")
        ->required(needs_text);
  }

  void Symptoms() {
    Options& options = *options_;
    CLI::App* noun = Noun("symptom", "what the detectors found");
    CLI::App* list = Leaf(noun, "list", "list symptoms, newest first",
                          [&options](Session& session) {
                            return ListSymptoms(session, options.symptoms);
                          });
    list->add_flag("--all", options.symptoms.all, "those that cleared too");
    list->add_option("--endpoint", options.symptoms.endpoint,
                     "only of this endpoint");
    list->add_option("--rule", options.symptoms.rule, "only of this rule");
    Limit(list, options.symptoms.limit);
  }

  void Tokens() {
    Options& options = *options_;
    CLI::App* noun = Noun("token", "credentials of people and new endpoints");
    CLI::App* create =
        Leaf(noun, "create", "make a token; prints its secret once",
             [&options](Session& session) {
               v1::CreateTokenRequest request;
               request.set_kind(options.token_kind);
               request.set_name(options.token_name);
               request.set_site(options.token_site);
               request.set_role(options.token_role);
               request.set_valid_hours(options.token_hours);
               for (const std::string& tag : options.token_tags) {
                 request.add_tags(tag);
               }
               return CreateToken(session, request);
             });
    create
        ->add_option("--kind", options.token_kind,
                     "enroll: for one endpoint; api: for a person")
        ->capture_default_str()
        ->check(CLI::IsMember({"enroll", "api"}));
    create->add_option("--name", options.token_name, "who or what it is for")
        ->required();
    create->add_option("--site", options.token_site,
                       "enroll: site of the endpoint");
    create->add_option("--tag", options.token_tags,
                       "enroll: tag of the endpoint; may be repeated");
    create
        ->add_option("--role", options.token_role,
                     "api: admin, technician or viewer")
        ->check(CLI::IsMember({"admin", "technician", "viewer"}));
    create
        ->add_option("--valid-hours", options.token_hours,
                     "default 24 (enroll) or 2160 (api)")
        ->check(CLI::Range(1u, 8784u));
    Leaf(noun, "list", "list tokens without their secrets",
         [](Session& session) { return ListTokens(session); });
    Id(Leaf(noun, "revoke", "revoke a token at once",
            [&options](Session& session) {
              return RevokeToken(session, options.id);
            }));
  }

  void Rules() {
    Options& options = *options_;
    CLI::App* noun = Noun("rule", "what is watched for");
    Leaf(noun, "list", "list the rules in force",
         [](Session& session) { return ListRules(session); });
    Leaf(noun, "check", "check a rule file; the collector does it",
         [&options](Session& session) {
           return CheckRules(session, options.path);
         })
        ->add_option("FILE", options.path, "YAML file")
        ->required();
    CLI::App* backtest = Leaf(
        noun, "backtest",
        "which tickets the rules of a file would have opened of late",
        [&options](Session& session) {
          return BacktestRules(session, options.path, options.since_seconds);
        });
    backtest->add_option("FILE", options.path, "YAML file")->required();
    backtest
        ->add_option("--since", options.since_seconds,
                     "how far back: 30d, 2w, 12h (default 7d)")
        ->transform(CLI::AsNumberWithUnit(
            std::map<std::string, double>{
                {"min", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}},
            CLI::AsNumberWithUnit::UNIT_REQUIRED))
        ->check(CLI::Range(60.0, 366 * 86400.0));
    backtest->footer("Example: forewarn rule backtest mine.yaml --since 30d");
  }

  CLI::App app_;
  std::shared_ptr<Options> options_;  // shared with the command that runs
  Run run_;
};

// The line of the help that says how the innermost command is written.
std::string UsageOf(const CLI::App& app) {
  const std::string help = app.help();
  const size_t begin = help.find("Usage:");
  if (begin == std::string::npos) return "";
  return help.substr(begin, help.find('\n', begin) - begin);
}

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(
    const std::vector<std::string>& arguments) {
  // Callbacks and options point into it.
  auto grammar = std::make_shared<Grammar>();
  CommandLine line;
  try {
    // CLI11 takes them from the back.
    grammar->app().parse(
        std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    line.text = grammar->app().help();
    return line;
  } catch (const CLI::CallForVersion& version) {
    line.text = absl::StrCat(version.what(), "\n");
    return line;
  } catch (const CLI::Error& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(error.what(), "\n", UsageOf(grammar->app())));
  }
  const std::string& format = grammar->options().format;
  line.format = format == "json"   ? OutputFormat::kJson
                : format == "yaml" ? OutputFormat::kYaml
                                   : OutputFormat::kTable;
  line.run = [grammar](Session& session) { return grammar->run()(session); };
  return line;
}

}  // namespace forewarn::cli
