//go:build integration

package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// ofOpenLDAP are the tests that are for OpenLDAP alone, by the reason.
var ofOpenLDAP = map[string][]string{
	"it is about the program, its command line and its files, and needs some directory": {
		"TestCompose", "TestWrongConfiguration", "TestWrongUsage", "TestPortIsTaken", "TestExampleConfiguration",
		"TestPreviewIsWhatTheRequestWouldWrite", "TestPreviewOfABulkBuildsOnItself", "TestPreviewSaysWhatIsWrongWithItsUse",
		"TestCheckOfWhatIsNoDirectory",
	},
	"its staff, locks and rights are an OpenLDAP's; what differs on a domain is in adopt_ad_test.go and in the tests of internal/check": {
		"TestAdoptDryRunOfMany", "TestAdopted", "TestAdoptedLocks", "TestNotAdopted", "TestBecameAdministrator", "TestAdoptedByAnotherName",
		"TestAdoptedOnce", "TestReleased", "TestAdoptedGroup", "TestAdoptDryRun",
		"TestCheckReportsEverything", "TestCheckOfTheDemo", "TestCheckOfRights", "TestCheckOfAFaultyFile",
	},
	"its servers are OpenLDAPs that replicate each other": {"TestOneOfTwoServersDies", "TestReplicaIsBehind"},
	"it is about the demo, which brings an OpenLDAP": {
		"TestDemoConfigOut", "TestDemoRestartsItsDirectory", "TestDemoLeavesNothing",
		"TestCloudSSO", "TestCloudSSOUnderANarrowerServer", "TestSCIMSetupDomainsAndTokens", "TestTranscriptUnderTheRuleSetSCIMSetup",
		"TestTranscripts/aws-constraints", "TestTranscriptsUnderTheirRuleSets",
	},
	"its people are imported with ids, or times of creation, that are known beforehand, which OpenLDAP alone lets an import have": {
		"TestLargeGroupIsNotCarried", "TestFiltersAndPagesOfLargeGroups", "TestWalk", "TestLargeWalk", "TestFilterByWhatAllHave",
		"TestWalkOverRenamedPeople", "TestSortByTimes", "TestFilterEntriesAreBounded", "TestWalkAcrossGateways", "TestWalkAcrossGatewaysSeesWhoCameBefore", "TestCursorsAreOfOneGatewayFamily",
	},
	"it runs on a schema of its own, which it gives to its OpenLDAP": {
		"TestFurtherResourceTypes", "TestAFurtherTypeIsDeactivated", "TestDiscoveryTellsTheDeclaration",
		"TestEveryTypeIsKept", "TestEveryTypeIsPatched", "TestCharacteristicsAreKept", "TestAttributesWithoutMatchingRules",
		"TestTypesThatTheDirectoryCannotHold", "TestFiltersOfEveryTypeEqualTheModel",
	},
	"it needs an overlay, rights or a policy that it configures in its OpenLDAP": {
		"TestPatchOfAttributesAndMembersIsOneWrite", "TestPasswordPolicySaysWhy", "TestALockThatStopsNobodyIsToldOf",
		"TestEncryptedDirectory", "TestGroupsOfTenantsAreApart",
		"TestThirtyOfOneName", "TestNamesThroughLife", "TestNamesBeyondTheBase", "TestNumbersOfManyGateways", "TestNumberIsShown", "TestGroupsOfRFC2307",
		"TestGroupsOfRFC2307KnowTheMovedAndTheAdopted", "TestMovedPeopleKeepGroupsOfRFC2307", "TestRenamedByCaseInGroupsOfRFC2307",
		"TestOtherSpellingsInGroupsOfRFC2307", "TestComingBackFromAnotherBase", "TestMisfortune",
		"TestRenamedToOneTemplate", "TestPreviewOfNamesAndNumbers",
	},
	"the mapping of the others before refint carries what it sends": {
		"TestRulesOfPeople/rule_20_unknown_keys_and_attributes_that_are_not_mapped_in_a_PATCH",
	},
	"each of its steps is one of OpenLDAP's, or of a schema that it has; those of the others are in TestLockByHandStays and the journeys": {
		"TestInterruptedSteps", "TestLeavingAndRejoining", "TestRemovedMeanwhileStaysOut", "TestAddedMeanwhileWaits", "TestAllStepsTogether",
		"TestMovedPeopleAreFound", "TestComingBackFromTheirPlace", "TestTakenNameKeepsNobodyUnlocked", "TestNamesakesMeetInThePlace",
		"TestPlaceThatIsMissing", "TestEachStepKeepsOut", "TestBitLeavesTheOthers", "TestOverrideKnowsTheLocksOfEachStep", "TestScramble",
		"TestScrambleThatIsRefusedLocksAllTheSame", "TestInterruptedRevivalOfTheInactive",
	},
	"its mapping is of attributes of inetOrgPerson as OpenLDAP defines them": {
		"TestExistingAttributes", "TestConfigurationIsHeldAgainstTheDirectory", "TestGatewayStartsFirst", "TestLateFaultsAreTold",
		"TestRefusalsSayWhatIsTaken", "TestSchemasAnnounceTheMapping",
	},
}

// Nothing is left out that is not there, or without a reason.
func TestWhatIsLeftOutIsKnown(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(text, -1) {
			there[string(found[1])] = true
		}
	}
	hold := func(why, name string) {
		t.Helper()
		if test, _, _ := strings.Cut(name, "/"); !there[test] || strings.TrimSpace(why) == "" {
			t.Errorf("%s is left out because %q; there is such a test: %v", name, why, there[test])
		}
	}
	for why, names := range ofOpenLDAP {
		for _, name := range names {
			hold(why, name)
		}
	}
	for name, why := range here.absent {
		hold(why, name)
	}
}
