//go:build integration

package integration

// ofOpenLDAP are the tests that are for OpenLDAP alone, by the reason.
var ofOpenLDAP = map[string][]string{
	"it is about the program, its command line and its files, and needs some directory": {
		"TestCompose", "TestWrongConfiguration", "TestWrongUsage", "TestPortIsTaken", "TestExampleConfiguration",
		"TestPreviewIsWhatTheRequestWouldWrite", "TestPreviewOfABulkBuildsOnItself", "TestPreviewSaysWhatIsWrongWithItsUse",
	},
	"it is about the demo, which brings an OpenLDAP": {
		"TestDemoConfigOut", "TestDemoRestartsItsDirectory", "TestDemoLeavesNothing",
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
	},
	"the mapping of the others before refint carries what it sends": {
		"TestRulesOfPeople/rule_20_unknown_keys_and_attributes_that_are_not_mapped_in_a_PATCH",
	},
	"each of its steps is one of OpenLDAP's, or of a schema that it has; those of the others are in TestLockByHandStays and the journeys": {
		"TestInterruptedSteps", "TestLeavingAndRejoining", "TestRemovedMeanwhileStaysOut", "TestAddedMeanwhileWaits", "TestAllStepsTogether",
		"TestMovedPeopleAreFound", "TestComingBackFromTheirPlace", "TestTakenNameKeepsNobodyUnlocked", "TestNamesakesMeetInThePlace",
		"TestPlaceThatIsMissing", "TestEachStepKeepsOut", "TestBitLeavesTheOthers", "TestOverrideKnowsTheLocksOfEachStep", "TestScramble",
		"TestScrambleThatIsRefusedLocksAllTheSame",
	},
	"its mapping is of attributes of inetOrgPerson as OpenLDAP defines them": {
		"TestExistingAttributes", "TestConfigurationIsHeldAgainstTheDirectory", "TestGatewayStartsFirst", "TestLateFaultsAreTold",
		"TestRefusalsSayWhatIsTaken", "TestSchemasAnnounceTheMapping",
	},
}
