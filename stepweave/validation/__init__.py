"""What Step Functions would reject in a state machine definition, found before anything runs or is deployed.

``definition.validate`` is the whole of it; the engine, the command line and the compiler's tests all call it. The
package knows the Amazon States Language in JSONata mode and nothing else of stepweave but its errors.
"""
