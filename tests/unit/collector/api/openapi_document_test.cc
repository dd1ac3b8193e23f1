#include "collector/api/openapi_document.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "forewarn/v1/api.pb.h"
#include "forewarn/v1/enrollment.pb.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "tests/unit/collector/api/api_fixture.h"
#include "yaml-cpp/yaml.h"

namespace forewarn::api {
namespace {

namespace pb = google::protobuf;

class OpenApiDocumentTest : public ApiFixture {
 protected:
  OpenApiDocumentTest()
      : document_(YAML::Load(std::string(OpenApiDocument()))) {}

  // The node itself, or what its $ref names.
  YAML::Node Resolve(const YAML::Node& node) const {
    if (!node["$ref"]) return node;
    YAML::Node found = YAML::Clone(document_);
    std::string path = node["$ref"].as<std::string>();
    EXPECT_EQ(path.substr(0, 2), "#/");
    for (size_t at = 2; at != std::string::npos + 1;) {
      const size_t end = path.find('/', at);
      found = found[path.substr(at, end - at)];
      EXPECT_TRUE(found) << path;
      at = end == std::string::npos ? std::string::npos + 1 : end + 1;
    }
    return found;
  }

  const pb::Descriptor* Message(const std::string& name) const {
    (void)v1::EnrollRequest::descriptor();
    return pb::DescriptorPool::generated_pool()->FindMessageTypeByName(
        "forewarn.v1." + name);
  }

  // The first $ref of `node` and below.
  static std::string SchemaOf(const YAML::Node& content) {
    for (const auto& media : content) {
      const YAML::Node schema = media.second["schema"];
      if (!schema || !schema["$ref"]) continue;
      const std::string ref = schema["$ref"].as<std::string>();
      return ref.substr(ref.rfind('/') + 1);
    }
    return "";
  }

  const YAML::Node document_;
};

TEST_F(OpenApiDocumentTest, DescribesExactlyTheRoutesThereAre) {
  std::set<std::string> served;
  for (const Route& route : api_->routes()) {
    served.insert(
        absl::StrCat(absl::AsciiStrToLower(route.method), " ", route.pattern));
  }
  std::set<std::string> described;
  for (const auto& path : document_["paths"]) {
    for (const auto& operation : path.second) {
      described.insert(absl::StrCat(operation.first.as<std::string>(), " ",
                                    path.first.as<std::string>()));
    }
  }
  EXPECT_EQ(described, served);
}

TEST_F(OpenApiDocumentTest, DescribesTheParametersOfEachRoute) {
  for (const Route& route : api_->routes()) {
    const YAML::Node operation =
        document_["paths"][route.pattern][absl::AsciiStrToLower(route.method)];
    std::set<std::string> query;
    std::set<std::string> path;
    for (const YAML::Node& entry : operation["parameters"]) {
      const YAML::Node parameter = Resolve(entry);
      (parameter["in"].as<std::string>() == "path" ? path : query)
          .insert(parameter["name"].as<std::string>());
    }
    EXPECT_EQ(query,
              std::set<std::string>(route.query.begin(), route.query.end()))
        << route.pattern;
    for (const std::string& name : path) {
      EXPECT_THAT(route.pattern, ::testing::HasSubstr("{" + name + "}"));
    }
    EXPECT_EQ(static_cast<long>(path.size()),
              std::count(route.pattern.begin(), route.pattern.end(), '{'))
        << route.pattern;
  }
}

TEST_F(OpenApiDocumentTest, SaysOfEachRouteWhoMayUseIt) {
  for (const Route& route : api_->routes()) {
    const YAML::Node operation =
        document_["paths"][route.pattern][absl::AsciiStrToLower(route.method)];
    const YAML::Node security = operation["security"];
    const bool documented_public = security && security.size() == 0;
    EXPECT_EQ(documented_public, route.access == Access::kPublic)
        << route.pattern;
    const char* role = route.access == Access::kAdmin        ? "role admin"
                       : route.access == Access::kTechnician ? "role technician"
                       : route.access == Access::kPublic     ? ""
                                                             : "role viewer";
    if (role[0] == '\0') continue;
    EXPECT_THAT(operation["description"].as<std::string>(),
                ::testing::HasSubstr(role))
        << route.pattern;
    EXPECT_TRUE(operation["responses"]["401"]) << route.pattern;
    EXPECT_TRUE(operation["responses"]["403"]) << route.pattern;
  }
}

TEST_F(OpenApiDocumentTest, DescribesMessagesWithTheProtosOwnNames) {
  int messages = 0;
  for (const auto& schema : document_["components"]["schemas"]) {
    const std::string name = schema.first.as<std::string>();
    if (schema.second["enum"]) {
      const pb::EnumDescriptor* type =
          pb::DescriptorPool::generated_pool()->FindEnumTypeByName(
              "forewarn.v1." + name);
      ASSERT_NE(type, nullptr) << name;
      std::set<std::string> ours;
      for (int i = 0; i < type->value_count(); ++i) {
        ours.insert(type->value(i)->name());
      }
      std::set<std::string> theirs;
      for (const YAML::Node& value : schema.second["enum"]) {
        theirs.insert(value.as<std::string>());
      }
      EXPECT_EQ(theirs, ours) << name;
      continue;
    }
    const pb::Descriptor* type = Message(name);
    ASSERT_NE(type, nullptr) << name;
    std::set<std::string> ours;
    for (int i = 0; i < type->field_count(); ++i) {
      ours.insert(type->field(i)->name());
    }
    std::set<std::string> theirs;
    for (const auto& property : schema.second["properties"]) {
      theirs.insert(property.first.as<std::string>());
    }
    EXPECT_EQ(theirs, ours) << name;
    ++messages;
  }
  EXPECT_GT(messages, 40);
}

TEST_F(OpenApiDocumentTest, GivesEachFieldTheTypeThatIsWritten) {
  using Field = pb::FieldDescriptor;
  for (const auto& schema : document_["components"]["schemas"]) {
    const pb::Descriptor* type = Message(schema.first.as<std::string>());
    if (type == nullptr) continue;
    for (int i = 0; i < type->field_count(); ++i) {
      const Field* field = type->field(i);
      YAML::Node property = schema.second["properties"][field->name()];
      ASSERT_TRUE(property) << field->full_name();
      std::string expected;
      if (field->is_map()) {
        EXPECT_EQ(property["type"].as<std::string>(), "object");
        continue;
      }
      if (field->is_repeated()) {
        ASSERT_EQ(property["type"].as<std::string>(""), "array")
            << field->full_name();
        property = property["items"];
      }
      const std::string ref = property["$ref"].as<std::string>("");
      const std::string found =
          ref.empty() ? property["type"].as<std::string>("") : ref;
      switch (field->cpp_type()) {
        case Field::CPPTYPE_UINT32:
          expected = "integer";
          break;
        case Field::CPPTYPE_DOUBLE:
          expected = "number";
          break;
        case Field::CPPTYPE_BOOL:
          expected = "boolean";
          break;
        case Field::CPPTYPE_ENUM:
          expected = "#/components/schemas/" + field->enum_type()->name();
          break;
        case Field::CPPTYPE_MESSAGE:
          expected =
              absl::StartsWith(field->message_type()->full_name(), "google.")
                  ? "string"
                  : "#/components/schemas/" + field->message_type()->name();
          break;
        default:  // text, bytes, and 64-bit numbers, which JSON cannot hold
          expected = "string";
      }
      EXPECT_EQ(found, expected) << field->full_name();
    }
  }
}

TEST_F(OpenApiDocumentTest, RefersOnlyToWhatIsThere) {
  for (const auto& path : document_["paths"]) {
    for (const auto& operation : path.second) {
      const YAML::Node body = operation.second["requestBody"];
      if (body) {
        EXPECT_NE(Message(SchemaOf(body["content"])), nullptr)
            << path.first.as<std::string>();
      }
      for (const auto& response : operation.second["responses"]) {
        EXPECT_TRUE(Resolve(response.second)["description"])
            << path.first.as<std::string>();
      }
    }
  }
}

}  // namespace
}  // namespace forewarn::api
