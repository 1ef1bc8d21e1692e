#include "fhir/resource_types.h"

#include <gtest/gtest.h>

namespace vitalake::fhir {
namespace {

TEST(ResourceTypes, AreThoseOfR4) {
  for (const std::string_view type : {"Account", "Observation", "Patient", "VisionPrescription"}) {
    EXPECT_TRUE(IsResourceType(type)) << type;
  }
  for (const std::string_view none : {"", "observation", "Obs", "Resource", "SubscriptionTopic"}) {
    EXPECT_FALSE(IsResourceType(none)) << none;
  }
}

TEST(ResourceTypes, NameTheNearest) {
  EXPECT_EQ(UnknownTypeMessage("observation"),
            "'observation' is not a resource type of FHIR R4; did you mean 'Observation'?");
  EXPECT_EQ(UnknownTypeMessage("Xyzzyxyzzy"), "'Xyzzyxyzzy' is not a resource type of FHIR R4");
  EXPECT_EQ(UnknownTypeMessage("A. Smith"), "not a resource type of FHIR R4");
  EXPECT_EQ(UnknownTypeMessage(std::string(41, 'A')), "not a resource type of FHIR R4");
}

}  // namespace
}  // namespace vitalake::fhir
