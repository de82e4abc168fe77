"""Types of CloudFormation that ministack does not have and templates of deployed environments use."""
