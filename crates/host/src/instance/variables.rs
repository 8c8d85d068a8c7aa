//! The interface through which guests read variables: `spin:variables` of WASI 0.3, `fermyon:spin/variables` of 0.2.

use wasmtime::component::{Accessor, HasData, Linker};

use crate::variables::Values;

mod wasip3 {
    #![allow(missing_docs, reason = "generated")]

    wasmtime::component::bindgen!({
        inline: "
            package spin:variables@3.0.0;

            interface variables {
                variant error {
                    invalid-name(string),
                    undefined(string),
                    provider(string),
                    other(string),
                }
                get: async func(name: string) -> result<string, error>;
            }

            world imports {
                import variables;
            }
        ",
    });
}

mod wasip2 {
    #![allow(missing_docs, reason = "generated")]

    wasmtime::component::bindgen!({
        inline: "
            package fermyon:spin@2.0.0;

            interface variables {
                variant error {
                    invalid-name(string),
                    undefined(string),
                    provider(string),
                    other(string),
                }
                get: func(name: string) -> result<string, error>;
            }

            world imports {
                import variables;
            }
        ",
    });
}

use wasip2::fermyon::spin::variables as variables_2;
use wasip3::spin::variables::variables as variables_3;

/// The variables of an instance.
pub struct VariablesView<'a>(pub &'a Values);

/// Names [`VariablesView`] for the linker.
struct HasVariables;

impl HasData for HasVariables {
    type Data<'a> = VariablesView<'a>;
}

/// Adds both interfaces to a linker; `view` finds the variables in the data of a store.
///
/// # Errors
/// If the linker already has one of them.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> VariablesView<'_>,
) -> wasmtime::Result<()> {
    variables_2::add_to_linker::<_, HasVariables>(linker, view)?;
    variables_3::add_to_linker::<_, HasVariables>(linker, view)
}

impl VariablesView<'_> {
    fn find(&self, name: &str) -> Result<String, String> {
        let value = self.0.get(name).cloned();
        value.ok_or_else(|| format!("no variable '{name}'"))
    }
}

impl variables_3::Host for VariablesView<'_> {}

impl<T: Send> variables_3::HostWithStore<T> for HasVariables {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> Result<String, variables_3::Error> {
        accessor
            .with(|mut access| access.get().find(&name))
            .map_err(variables_3::Error::Undefined)
    }
}

impl variables_2::Host for VariablesView<'_> {
    fn get(&mut self, name: String) -> Result<String, variables_2::Error> {
        self.find(&name).map_err(variables_2::Error::Undefined)
    }
}
